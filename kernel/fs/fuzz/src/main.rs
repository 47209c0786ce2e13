//! libFuzzer over the EROFS reader: the input is an image. What must hold is in `explore`, which the
//! damage tests use too.
#![no_main]

#[path = "../../tests/common/explore.rs"]
mod explore;

libfuzzer_sys::fuzz_target!(|image: &[u8]| {
    let mut image = image.to_vec();
    // The checksum would stop nearly every change at the door.
    if let Some(features) = image.get_mut(1024 + 8) {
        *features &= !1;
    }
    explore::explore(image);
});
