//! What a callback is told of an epoch.

use minimax::run::Progress;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// An epoch that has ended, in the names of the run's tables.
pub struct Epoch {
    counts: [(&'static str, Option<u64>); 4],
    numbers: [(&'static str, Option<f64>); 15],
    alarms: Vec<String>,
}

impl Epoch {
    /// That of its last step; losses are means over its steps.
    pub fn new(progress: &Progress) -> Epoch {
        let means = &progress.means;
        let scores = progress.scores.as_ref();
        let judged = scores.and_then(|scores| scores.judged);
        let classes = scores.and_then(|scores| scores.classes.as_ref()).map(|classes| classes.present() as u64);
        let modes = scores.and_then(|scores| scores.modes_found()).map(|modes| modes as u64);
        Epoch {
            counts: [
                ("epoch", Some(progress.epoch)),
                ("step", Some(progress.step)),
                ("classes_present", classes),
                ("modes_found", modes),
            ],
            numbers: [
                ("seconds", progress.epoch_time.map(|time| time.whole.as_secs_f64())),
                ("images_per_second", means.images_per_second()),
                ("d_loss", means.d_loss()),
                ("g_loss", means.g_loss()),
                ("c_loss", means.c_loss()),
                ("d_real", means.d_real()),
                ("d_fake", means.d_fake()),
                ("wasserstein_estimate", means.wasserstein()),
                ("sliced_wasserstein", scores.map(|scores| scores.sliced_wasserstein)),
                ("sliced_floor", scores.and_then(|scores| scores.sliced_floor)),
                ("frechet_distance", judged.map(|judged| judged.frechet_distance)),
                ("frechet_floor", judged.and_then(|judged| judged.frechet_floor)),
                ("confidence", judged.map(|judged| judged.confidence)),
                ("asked_class", judged.and_then(|judged| judged.asked_class)),
                ("classifier_error", scores.and_then(|scores| scores.classifier_error)),
            ],
            alarms: progress.alarms.clone(),
        }
    }

    /// As a dict.
    pub fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (name, count) in self.counts {
            dict.set_item(name, count)?;
        }
        for (name, number) in self.numbers {
            dict.set_item(name, number)?;
        }
        dict.set_item("alarms", &self.alarms)?;
        Ok(dict)
    }
}
