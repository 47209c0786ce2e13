//! TLB maintenance operations: their operands, and what an operation is guaranteed to invalidate. Arm
//! Architecture Reference Manual, sections "TLB maintenance instructions", "TLB range maintenance
//! instructions" and "Translation Table Level (TTL) hint".
//!
//! What is not guaranteed does not happen: a hint that is wrong for an entry leaves the entry alone.

use std::fmt;

use crate::granule::Granule;

/// The instruction, without its shareability suffix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlbiOp {
    /// VMALLE1: everything.
    Vmalle1,
    /// ASIDE1: non-global entries of an ASID.
    Aside1,
    /// VAE1: by address and ASID, all levels.
    Vae1,
    /// VALE1: by address and ASID, last level only.
    Vale1,
    /// VAAE1: by address, any ASID, all levels.
    Vaae1,
    /// VAALE1: by address, any ASID, last level only.
    Vaale1,
    /// RVAE1: by range and ASID, all levels.
    Rvae1,
    /// RVALE1: by range and ASID, last level only.
    Rvale1,
    /// RVAAE1: by range, any ASID, all levels.
    Rvaae1,
    /// RVAALE1: by range, any ASID, last level only.
    Rvaale1,
}

/// Which CPUs an operation reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The CPU that executes it.
    Local,
    /// All CPUs (the IS forms).
    InnerShareable,
}

/// What a TLBI names, decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tlbi {
    /// Everything.
    All,
    /// The non-global entries of an ASID.
    Asid(u16),
    /// An address or a range of addresses.
    Range {
        /// The ASID, or any.
        asid: Option<u16>,
        /// Last level only: entries for tables stay.
        last_level: bool,
        /// First address.
        start: u64,
        /// Bytes; 1 for an operation by address.
        len: u64,
        /// Only entries of this granule are sure to go.
        granule: Option<Granule>,
        /// Only leaf entries of this level are sure to go.
        level: Option<u8>,
    },
}

/// Something cached from one descriptor, as maintenance sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// `None`: global.
    pub asid: Option<u16>,
    /// Granule of the table it came from.
    pub granule: Granule,
    /// Level of the descriptor.
    pub level: u8,
    /// A leaf, not a table.
    pub leaf: bool,
    /// First address that it translates.
    pub va: u64,
    /// Bytes that it translates.
    pub size: u64,
}

impl fmt::Display for Tlbi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Tlbi::All => write!(f, "everything"),
            Tlbi::Asid(asid) => write!(f, "ASID {asid}"),
            Tlbi::Range { asid, last_level, start, len, granule, level } => {
                let levels = if last_level { "last level" } else { "all levels" };
                write!(f, "{start:#x}+{len:#x} of ASID {asid:?}, {levels}, TG {granule:?}, TTL {level:?}")
            }
        }
    }
}

impl Tlbi {
    /// By address and ASID, as VAE1 or VALE1 without a level hint.
    pub fn va(asid: u16, va: u64, last_level: bool) -> Tlbi {
        Tlbi::Range { asid: Some(asid), last_level, start: va, len: 1, granule: None, level: None }
    }

    /// A range of one granule and ASID, as RVAE1 or RVALE1 without a level hint.
    pub fn range(asid: u16, start: u64, len: u64, granule: Granule, last_level: bool) -> Tlbi {
        Tlbi::Range { asid: Some(asid), last_level, start, len, granule: Some(granule), level: None }
    }

    /// Decode the register operand of an instruction. `None`: a range operand whose TG is reserved.
    pub fn decode(op: TlbiOp, operand: u64) -> Option<Tlbi> {
        use TlbiOp::*;
        let asid = (operand >> 48) as u16;
        let (any_asid, last_level, range) = match op {
            Vmalle1 => return Some(Tlbi::All),
            Aside1 => return Some(Tlbi::Asid(asid)),
            Vae1 => (false, false, false),
            Vale1 => (false, true, false),
            Vaae1 => (true, false, false),
            Vaale1 => (true, true, false),
            Rvae1 => (false, false, true),
            Rvale1 => (false, true, true),
            Rvaae1 => (true, false, true),
            Rvaale1 => (true, true, true),
        };
        let asid = (!any_asid).then_some(asid);
        if !range {
            let (granule, level) = decode_ttl(operand >> 44 & 0xf);
            let start = (operand & ((1 << 44) - 1)) << 12;
            return Some(Tlbi::Range { asid, last_level, start, len: 1, granule, level });
        }
        let granule = Granule::from_tlbi_tg(operand >> 46 & 3)?;
        let (scale, num) = (operand >> 44 & 3, operand >> 39 & 0x1f);
        let level = decode_range_ttl(operand >> 37 & 3, granule);
        let len = (num + 1) << (5 * scale + 1) << granule.shift();
        let base = (operand & ((1 << 37) - 1)) << granule.shift();
        // With a level, address bits below that level's block size are treated as zero.
        let start = level.map_or(base, |l| base & !(granule.level_size(l) - 1));
        Some(Tlbi::Range { asid, last_level, start, len, granule: Some(granule), level })
    }

    /// Is this entry sure to be gone when the operation has completed?
    pub fn covers(&self, target: &Target) -> bool {
        match *self {
            Tlbi::All => true,
            Tlbi::Asid(asid) => target.asid == Some(asid),
            Tlbi::Range { asid, last_level, start, len, granule, level } => {
                // Global entries go with any ASID that is named.
                let same_asid = asid.is_none() || target.asid.is_none() || target.asid == asid;
                let end = start.saturating_add(len);
                let overlaps = start < target.va + target.size && target.va < end;
                let kind = match (target.leaf, last_level) {
                    (true, _) => level.is_none_or(|l| l == target.level),
                    // The hint is the level of the leaf; with one, tables are not sure to go.
                    (false, false) => level.is_none(),
                    (false, true) => false,
                };
                same_asid && overlaps && kind && granule.is_none_or(|g| g == target.granule)
            }
        }
    }

    /// Does it reach all non-global entries of this ASID?
    pub fn covers_asid(&self, asid: u16) -> bool {
        match *self {
            Tlbi::All => true,
            Tlbi::Asid(a) => a == asid,
            Tlbi::Range { .. } => false,
        }
    }
}

/// TTL of an operation by address. Reserved values count as no hint.
fn decode_ttl(ttl: u64) -> (Option<Granule>, Option<u8>) {
    let level = (ttl & 3) as u8;
    match Granule::from_tlbi_tg(ttl >> 2) {
        Some(g) if level == 3 || g.has_block(level) => (Some(g), Some(level)),
        _ => (None, None),
    }
}

/// TTL of an operation by range. 0 is no hint; so are levels that have no leaves.
fn decode_range_ttl(ttl: u64, granule: Granule) -> Option<u8> {
    let level = ttl as u8;
    (level == 3 || granule.has_block(level)).then_some(level)
}

/// A TLBI between its issue and the DSB that completes it.
#[derive(Clone, Debug)]
pub(crate) struct PendingTlbi {
    pub tlbi: Tlbi,
    pub scope: Scope,
    /// Only what was cached before this moment is sure to go.
    pub issued: u64,
    /// Bit per CPU whose TLB has carried it out already.
    pub done: u64,
}
