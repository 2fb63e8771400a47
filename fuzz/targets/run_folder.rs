//! A run's folder with one file that somebody has changed: what a report and a resume read of it. The first byte
//! picks the file, the rest is what stands in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use minimax::gan::log::Log;
use minimax::gan::summary;
use minimax::report::EventFile;
use std::fs;
use std::path::PathBuf;

const LOG: &str = "step,epoch,d_loss,g_loss,d_real,d_fake,images_per_second,wasserstein_estimate\n\
                   1,1,0.5,0.7,0.5,0.5,10,\n2,2,0.4,0.8,0.6,0.4,10,\n";
const EPOCHS: &str = "step,epoch,seconds,data_wait_seconds,sliced_wasserstein,classes_present\n\
                      1,1,0.1,0,0.2,\n2,2,0.1,0,0.1,3\n";
const EVENTS: &str = "events.out.tfevents.1.minimax";

fuzz_target!(|bytes: &[u8]| {
    let Some((&pick, bytes)) = bytes.split_first() else {
        return;
    };
    // The first three bytes of the seed are no part of the picture.
    let picture = &include_bytes!("../seeds/picture/colour0-depth8")[3..];
    let files: [(&str, &[u8]); 7] = [
        ("recipe.toml", include_bytes!("../tiny.toml")),
        ("log.csv", LOG.as_bytes()),
        ("epochs.csv", EPOCHS.as_bytes()),
        ("samples/epoch-0001.png", picture),
        ("samples/epoch-0002.png", picture),
        ("samples/real.png", picture),
        (EVENTS, b""),
    ];
    let folder = folder();
    fs::create_dir_all(folder.join("samples")).unwrap();
    for (index, (name, whole)) in files.iter().enumerate() {
        let changed = index == usize::from(pick) % files.len();
        fs::write(folder.join(name), if changed { bytes } else { whole }).unwrap();
    }
    if let Ok(left_out) = summary::draw(&folder) {
        assert!(left_out.len() <= 1);
    }
    let _ = EventFile::open(&folder, 1);
    let _ = Log::open(&folder, 1);
});

/// One for each process.
fn folder() -> PathBuf {
    std::env::temp_dir().join(format!("minimax-fuzz-{}", std::process::id()))
}
