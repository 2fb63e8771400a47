//! The curves of a run, from its tables: losses and outputs by step with the ends of epochs marked,
//! seconds and scores by epoch.

use super::table::Columns;
use crate::data::plane::Plane;
use crate::recipe::{LossSpec, Recipe};
use crate::report::chart::{Level, Panel, Series};

/// The panels of a run of `recipe`, from its `log.csv` and `epochs.csv`.
pub fn panels(recipe: &Recipe, steps: &Columns, epochs: &Columns) -> Vec<Panel> {
    let is_critic = recipe.training.loss.has_critic();
    let (marks, every) = epoch_marks(steps);
    let x_label = match every {
        1 => "step (a line at the end of each epoch)".to_string(),
        every => format!("step (a line every {every} epochs)"),
    };
    let by_step = |title: &str, y_label: &str, columns: &[(&str, &str)]| Panel {
        title: title.into(),
        x_label: x_label.clone(),
        y_label: y_label.into(),
        series: series(steps, "step", columns),
        marks: marks.clone(),
        ..Panel::default()
    };
    // If samples are judged within epochs too, their scores are plotted by step.
    let numbers = epochs.column("epoch");
    let is_within = numbers.windows(2).any(|pair| pair[0] == pair[1]);
    let by_epoch = |title: &str, y_label: &str, columns: &[(&str, &str)]| Panel {
        title: title.into(),
        x_label: if is_within { x_label.clone() } else { "epoch".into() },
        y_label: y_label.into(),
        series: series(epochs, if is_within { "step" } else { "epoch" }, columns),
        marks: if is_within { marks.clone() } else { Vec::new() },
        // For seconds, distances and numbers of classes, small changes should not look large.
        from_zero: true,
        ..Panel::default()
    };
    let discriminator = if is_critic { "critic" } else { "discriminator" };
    let output = match recipe.training.loss {
        LossSpec::Bce | LossSpec::Minimax => "mean probability",
        _ => "mean output",
    };
    let losses = [("d_loss", discriminator), ("g_loss", "generator")];
    let outputs = [("d_real", "D(x), real"), ("d_fake", "D(G(z)), generated")];
    let mut panels = vec![by_step("Losses", "loss", &losses)];
    if is_critic {
        let estimate = [("wasserstein_estimate", "minus the critic's loss")];
        panels.push(by_step("Wasserstein estimate", "distance", &estimate));
    }
    let floor = |column: &str| -> Vec<Level> {
        let last = epochs.points("epoch", column).last().copied();
        last.map(|(_, y)| Level { y, label: "real ones".into() }).into_iter().collect()
    };
    let by = if floor("frechet_floor").is_empty() { "by the nearest real image" } else { "by the judge" };
    let good = Plane::named(&recipe.data.name);
    let good = good.map(|plane| Level { y: plane.good_of_own(), label: "real points".into() });
    panels.extend([
        by_step(&format!("Output of the {discriminator}"), output, &outputs),
        by_epoch("Seconds per epoch", "seconds", &[("seconds", "training")]),
        Panel {
            levels: floor("frechet_floor"),
            ..by_epoch("Frechet distance of samples", "distance", &[("frechet_distance", "from training images")])
        },
        Panel {
            levels: floor("modes_floor"),
            ..by_epoch("Modes found among samples", "modes", &[("modes_found", "found")])
        },
        Panel {
            levels: floor("divergence_floor"),
            ..by_epoch("KL from the samples' modes to even ones", "nats", &[("modes_divergence", "of stacked digits")])
        },
        Panel {
            levels: floor("sliced_floor"),
            ..by_epoch(
                "Sliced Wasserstein distance of samples",
                "distance",
                &[("sliced_wasserstein", "from real ones")],
            )
        },
        Panel {
            levels: floor("classes_floor"),
            ..by_epoch("Classes that appear among samples", "classes", &[("classes_present", by)])
        },
        Panel {
            levels: good.into_iter().collect(),
            ..by_epoch("Good samples", "share", &[("good_share", "within three sigma of a mode")])
        },
    ]);
    // A run that ended within its first epoch has no epoch's time.
    panels.retain(|panel| panel.series.iter().any(|series| !series.points.is_empty()));
    panels
}

fn series(table: &Columns, x: &str, columns: &[(&str, &str)]) -> Vec<Series> {
    let series = |&(column, name): &(&str, &str)| Series { name: name.into(), points: table.points(x, column) };
    columns.iter().map(series).collect()
}

/// The last steps of epochs, or of every n-th epoch with an n that keeps the lines few enough to be counted.
fn epoch_marks(steps: &Columns) -> (Vec<f64>, usize) {
    const MOST: usize = 20;
    let points = steps.points("step", "epoch");
    let pairs = points.iter().zip(points.iter().skip(1));
    let ends = pairs.filter(|(now, next)| now.1 != next.1);
    let ends: Vec<f64> = ends.map(|(now, _)| now.0).collect();
    let round = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
    let every = round.into_iter().find(|every| ends.len() / every <= MOST);
    let every = every.unwrap_or(ends.len());
    let marks = ends.into_iter().skip(every - 1).step_by(every);
    (marks.collect(), every)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_critic_has_its_estimate_and_epochs_are_marked_at_their_ends() {
        let folder = tempfile::tempdir().unwrap();
        let table = |text: &str| {
            let path = folder.path().join("table.csv");
            std::fs::write(&path, text).unwrap();
            Columns::read(&path).unwrap()
        };
        let steps = table(
            "step,epoch,d_loss,g_loss,d_real,d_fake,images_per_second,wasserstein_estimate\n\
             1,1,-1,,2,1,10,1\n2,1,-2,0.5,3,1,10,2\n3,2,-3,,4,1,10,3\n",
        );
        let epochs = table("step,epoch,seconds,sliced_wasserstein\n2,1,,0.25\n");
        let critic = Recipe::load("wgan-gp-mnist", &[]).unwrap();
        let panels = super::panels(&critic, &steps, &epochs);
        let titles: Vec<&str> = panels.iter().map(|panel| panel.title.as_str()).collect();
        assert_eq!(titles[..3], ["Losses", "Wasserstein estimate", "Output of the critic"]);
        assert!(!titles.contains(&"Seconds per epoch"), "there are none yet");
        assert_eq!(panels[0].marks, [2.0]);
        assert_eq!(panels[0].series[1].points, [(2.0, 0.5)]);
        assert_eq!(panels[1].series[0].name, "minus the critic's loss");
        assert_eq!(panels[1].series[0].points[2], (3.0, 3.0));
        let plain = Recipe::load("dcgan-mnist", &[]).unwrap();
        assert_eq!(super::panels(&plain, &steps, &epochs).len(), panels.len() - 1);
    }
}
