//! CRC-32C (Castagnoli), bit-reflected, as the superblock's checksum uses it. Run once per mount, so
//! a small loop is worth more than a table.

/// Continues `crc` over `data`. Neither the start value nor the result is inverted here.
pub fn crc32c(crc: u32, data: &[u8]) -> u32 {
    data.iter().fold(crc, |crc, &byte| {
        (0..8).fold(
            crc ^ u32::from(byte),
            |crc, _| {
                if crc & 1 != 0 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 }
            },
        )
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn known_answer() {
        // The check value of the CRC catalogue, and the all-zero vector of RFC 3720.
        assert_eq!(!super::crc32c(!0, b"123456789"), 0xe306_9283);
        assert_eq!(!super::crc32c(!0, &[0; 32]), 0x8a91_36aa);
    }
}
