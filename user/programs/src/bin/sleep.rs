//! `sleep SECONDS`: does nothing for a while; fractions are allowed.
#![no_std]
#![no_main]

rt::main!(main);

const NANOSECONDS: u64 = 1_000_000_000;

fn main(args: rt::Args) -> i32 {
    match args.get(1).and_then(|word| nanoseconds(word.to_bytes())) {
        Some(ns) if args.len() == 2 => {
            rt::time::sleep_ns(ns);
            0
        }
        _ => {
            rt::eprintln!("usage: sleep SECONDS");
            2
        }
    }
}

/// A decimal number of seconds. Digits after the ninth of the fraction say nothing.
fn nanoseconds(text: &[u8]) -> Option<u64> {
    let text = core::str::from_utf8(text).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() && fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let mut scale = NANOSECONDS;
    let fraction = fraction.bytes().fold(0, |sum, digit| {
        scale /= 10;
        sum + u64::from(digit - b'0') * scale
    });
    whole.checked_mul(NANOSECONDS)?.checked_add(fraction)
}
