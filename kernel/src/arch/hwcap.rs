//! What programs may use of the CPU, as `AT_HWCAP` and `AT_HWCAP2` tell them: one line for each feature, as in
//! Linux's `arm64_elf_hwcaps` table. What needs the kernel's help (SVE, SME, pointer authentication, MTE) or
//! trapped registers (CPUID) is left out until that help exists.

use aarch64_cpu::registers::{
    ID_AA64ISAR0_EL1, ID_AA64ISAR1_EL1, ID_AA64MMFR2_EL1, ID_AA64PFR0_EL1, Readable,
};
use spin::Once;

/// An identification register.
#[derive(Clone, Copy)]
enum Register {
    Isar0,
    Isar1,
    Pfr0,
    Mmfr2,
}

/// One feature: present when the four-bit field at `shift` is at least `min`.
struct Feature {
    register: Register,
    shift: u32,
    min: u64,
    bit: u32,
    /// As `/proc/cpuinfo` calls it.
    name: &'static str,
}

const fn feature(register: Register, shift: u32, min: u64, bit: u32, name: &'static str) -> Feature {
    Feature { register, shift, min, bit, name }
}

use Register::{Isar0, Isar1, Mmfr2, Pfr0};

static HWCAP: [Feature; 24] = [
    feature(Isar0, 4, 1, 3, "aes"),
    feature(Isar0, 4, 2, 4, "pmull"),
    feature(Isar0, 8, 1, 5, "sha1"),
    feature(Isar0, 12, 1, 6, "sha2"),
    feature(Isar0, 16, 1, 7, "crc32"),
    feature(Isar0, 20, 2, 8, "atomics"),
    feature(Pfr0, 16, 1, 9, "fphp"),
    feature(Pfr0, 20, 1, 10, "asimdhp"),
    feature(Isar0, 28, 1, 12, "asimdrdm"),
    feature(Isar1, 12, 1, 13, "jscvt"),
    feature(Isar1, 16, 1, 14, "fcma"),
    feature(Isar1, 20, 1, 15, "lrcpc"),
    feature(Isar1, 0, 1, 16, "dcpop"),
    feature(Isar0, 32, 1, 17, "sha3"),
    feature(Isar0, 36, 1, 18, "sm3"),
    feature(Isar0, 40, 1, 19, "sm4"),
    feature(Isar0, 44, 1, 20, "asimddp"),
    feature(Isar0, 12, 2, 21, "sha512"),
    feature(Isar0, 48, 1, 23, "asimdfhm"),
    feature(Pfr0, 48, 1, 24, "dit"),
    feature(Mmfr2, 32, 1, 25, "uscat"),
    feature(Isar1, 20, 2, 26, "ilrcpc"),
    feature(Isar0, 52, 1, 27, "flagm"),
    feature(Isar1, 36, 1, 29, "sb"),
];

static HWCAP2: [Feature; 6] = [
    feature(Isar1, 0, 2, 0, "dcpodp"),
    feature(Isar0, 52, 2, 7, "flagm2"),
    feature(Isar1, 32, 1, 8, "frint"),
    feature(Isar1, 52, 1, 13, "i8mm"),
    feature(Isar1, 44, 1, 14, "bf16"),
    feature(Isar0, 60, 1, 16, "rng"),
];

/// HWCAP_FP and HWCAP_ASIMD.
const FP_ASIMD: u64 = 1 << 0 | 1 << 1;

/// The names, in the order of the bits.
pub fn names() -> impl Iterator<Item = &'static str> {
    let present = HWCAP.iter().chain(&HWCAP2).filter(|feature| feature.is_present());
    ["fp", "asimd"].into_iter().chain(present.map(|feature| feature.name))
}

/// The two words. Every exec asks, and the answer does not change.
pub fn hwcaps() -> (u64, u64) {
    static WORDS: Once<(u64, u64)> = Once::new();
    *WORDS.call_once(|| (FP_ASIMD | collect(&HWCAP), collect(&HWCAP2)))
}

fn collect(features: &[Feature]) -> u64 {
    features.iter().filter(|feature| feature.is_present()).fold(0, |word, feature| word | 1 << feature.bit)
}

impl Feature {
    fn is_present(&self) -> bool {
        let register = match self.register {
            Isar0 => ID_AA64ISAR0_EL1.get(),
            Isar1 => ID_AA64ISAR1_EL1.get(),
            Pfr0 => ID_AA64PFR0_EL1.get(),
            Mmfr2 => ID_AA64MMFR2_EL1.get(),
        };
        // 15 says "not at all" in the fields of PFR0; no other field has reached it.
        let field = register >> self.shift & 15;
        field >= self.min && field != 15
    }
}
