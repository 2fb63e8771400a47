//! Class-balanced epochs: as long as any other epoch, but with each class shown equally often.
//!
//! An epoch is made of blocks, each of which has every class once, in a random order of its own; the last block is cut
//! where the epoch ends. At any point of an epoch, therefore, no two classes differ by more than one image. The images
//! of a class come in a random order, which is drawn anew for every epoch and whenever all of them have been shown: an
//! epoch shows part of a large class, and each image of a small one several times.

use crate::random::Random;
use std::collections::BTreeMap;

/// The indices of the images of `epoch`, as many as there are `labels`; `random` is at the start of the stream of all
/// epochs.
pub(super) fn order(labels: &[u16], mut random: Random, epoch: u64) -> Vec<u32> {
    let mut classes: BTreeMap<u16, Vec<u32>> = BTreeMap::new();
    for (place, &label) in (0..).zip(labels) {
        classes.entry(label).or_default().push(place);
    }
    let classes: Vec<Vec<u32>> = classes.into_values().collect();
    let blocks = labels.len().div_ceil(classes.len());
    let rounds = |images: &[u32]| blocks.div_ceil(images.len());

    // Each epoch has its own stretch of the stream.
    let drawn = |orders: usize, of: usize| orders as u64 * of.div_ceil(4) as u64;
    let of_images: u64 = classes.iter().map(|images| drawn(rounds(images), images.len())).sum();
    random.skip(epoch.wrapping_mul(of_images + drawn(blocks, classes.len())));

    let mut shown = |images: &Vec<u32>| -> Vec<u32> {
        let indices = (0..rounds(images)).flat_map(|_| random.permutation(images.len()));
        indices.map(|index| images[index as usize]).collect()
    };
    let shown: Vec<Vec<u32>> = classes.iter().map(&mut shown).collect();
    let in_turn = |block: usize| random.permutation(classes.len()).into_iter().map(move |class| (class, block));
    let mut order: Vec<u32> =
        (0..blocks).flat_map(in_turn).map(|(class, block)| shown[class as usize][block]).collect();
    order.truncate(labels.len());
    order
}

#[cfg(test)]
mod tests {
    use super::super::{Batches, Images, LastBatch};
    use super::*;
    use crate::random::Purpose;
    use std::sync::Arc;

    fn order(labels: &[u16], seed: u64, epoch: u64) -> Vec<u32> {
        super::order(labels, Random::new(seed, Purpose::SHUFFLE), epoch)
    }

    /// 60 images of class 7, 3 of class 2, 20 of class 300, mixed.
    fn labels() -> Vec<u16> {
        let all = [vec![7; 60], vec![2; 3], vec![300; 20]].concat();
        (0..83).map(|i| all[i * 50 % 83]).collect()
    }

    /// How often each class, and each image of the whole set, is in `places`.
    fn counts(labels: &[u16], places: &[u32]) -> (BTreeMap<u16, usize>, Vec<usize>) {
        let (mut of_class, mut of_image) = (BTreeMap::new(), vec![0; labels.len()]);
        for &place in places {
            *of_class.entry(labels[place as usize]).or_default() += 1;
            of_image[place as usize] += 1;
        }
        (of_class, of_image)
    }

    #[test]
    fn every_class_is_shown_equally_often_whatever_part_of_an_epoch_is_done() {
        let labels = labels();
        let mut over_epochs = Vec::new();
        for epoch in 0..40 {
            let places = order(&labels, 5, epoch);
            assert_eq!(places.len(), labels.len());
            for done in 3..=places.len() {
                let (of_class, _) = counts(&labels, &places[..done]);
                let [least, most] = [of_class.values().min().unwrap(), of_class.values().max().unwrap()];
                assert!(of_class.len() == 3 && most - least <= 1, "{epoch}, {done}: {of_class:?}");
            }
            // Within its class no image is shown twice more than another, and of a large one none twice.
            let (_, of_image) = counts(&labels, &places);
            for class in [7, 2, 300] {
                let of_this = || labels.iter().zip(&of_image).filter(|(label, _)| **label == class).map(|(_, n)| *n);
                let [least, most] = [of_this().min().unwrap(), of_this().max().unwrap()];
                assert!(most - least <= 1, "{epoch}, class {class}: {of_image:?}");
            }
            over_epochs.extend(places);
        }
        // Over many epochs images of the large class take turns: each is shown in about 28 of 60 epochs.
        let (_, of_image) = counts(&labels, &over_epochs);
        for (label, count) in labels.iter().zip(of_image) {
            assert!(*label != 7 || (8..=31).contains(&count), "{count}");
        }
    }

    #[test]
    fn classes_come_in_no_period_and_epochs_in_orders_of_their_own() {
        let labels: Vec<u16> = (0..400).map(|i| i % 4).collect();
        let class = |place: &u32| labels[*place as usize];
        let first = order(&labels, 1, 0);
        let mut blocks: Vec<Vec<u16>> = first.chunks(4).map(|block| block.iter().map(class).collect()).collect();
        blocks.sort();
        blocks.dedup();
        // Of the 24 orders of four classes a hundred blocks have nearly all.
        assert!(blocks.len() > 18, "{} orders", blocks.len());
        assert_eq!(order(&labels, 1, 0), first);
        assert!(order(&labels, 1, 1) != first && order(&labels, 2, 0) != first);
        // Classes of one size show each image once.
        assert!(counts(&labels, &first).1.iter().all(|&count| count == 1));
    }

    /// What a run with a given seed is trained on must not change under it.
    #[test]
    fn the_order_is_this_one() {
        assert_eq!(order(&[0, 0, 0, 0, 1, 1, 2], 1, 3), [1, 6, 4, 5, 0, 6, 3]);
    }

    #[test]
    fn batches_of_a_run_that_is_resumed_are_the_same() {
        let labels = labels();
        let pixels = (0..labels.len()).map(|i| i as u8).collect();
        let images = Arc::new(Images { height: 1, width: 1, channels: 1, pixels, labels });
        for (last, steps) in [(LastBatch::Drop, 8), (LastBatch::Keep, 9)] {
            let batches = || Batches::new(images.clone(), 10, 4, last).balanced(true);
            assert_eq!(batches().steps_per_epoch(), steps);
            let mut whole = batches();
            let mut all = Vec::new();
            for step in 0..30 {
                let batch = whole.batch(step).unwrap();
                assert_eq!(batch.pixels.len(), if step % 9 == 8 && steps == 9 { 3 } else { 10 });
                let labels = batch.pixels.iter().map(|&place| images.labels[usize::from(place)]);
                assert!(labels.eq(batch.labels.iter().copied()));
                all.push(batch.pixels.to_vec());
            }
            let mut resumed = batches();
            for step in 13..30 {
                assert_eq!(resumed.batch(step).unwrap().pixels, all[step as usize], "step {step}");
            }
        }
    }
}
