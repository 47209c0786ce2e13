//! Random numbers: ChaCha, seeded by the loader (device tree) and by what the counter reads between
//! instructions. Mirrors the purpose of `drivers/char/random.c`, not its pools.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};

use crate::arch::barrier;
use crate::platform;
use crate::sync::IrqMutex;

const SEED_LEN: usize = 32;

static GENERATOR: IrqMutex<Option<ChaCha20Rng>> = IrqMutex::new(None);

/// Fills `bytes`. The first call seeds the generator.
pub fn fill(bytes: &mut [u8]) {
    let mut generator = GENERATOR.lock();
    generator.get_or_insert_with(|| ChaCha20Rng::from_seed(seed())).fill_bytes(bytes);
}

/// A random number.
pub fn next_u64() -> u64 {
    let mut bytes = [0; 8];
    fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

/// All that nobody outside can guess. With neither seed from the loader only the jitter is left, which
/// is little: that is said in the log.
fn seed() -> [u8; SEED_LEN] {
    let platform = platform::get();
    if platform.rng_seed.is_empty() && platform.kaslr_seed == 0 {
        log::warn!("random: the device tree has no seed");
    }
    let mut seed = [0u8; SEED_LEN];
    let kaslr_seed = platform.kaslr_seed.to_le_bytes();
    for (i, &byte) in platform.rng_seed.iter().chain(&kaslr_seed).enumerate() {
        seed[i % SEED_LEN] = seed[i % SEED_LEN].rotate_left(3) ^ byte;
    }
    for byte in &mut seed {
        *byte ^= barrier::counter() as u8;
    }
    seed
}
