//! The choice of a kernel's algorithm may depend on the number of images: transforming weights, or a special path for a
//! single row, pays only for some numbers, and gives different last bits. Where images are made a few at a time to save
//! memory, the algorithm is chosen as for a batch of fixed size, so that their number doesn't change their bits.

use std::cell::Cell;

thread_local! {
    static AS_IF: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Does `work` with kernels chosen as for a batch of `size`, whatever the real size is.
pub fn chosen_as_for<T>(size: usize, work: impl FnOnce() -> T) -> T {
    /// Puts back what was there, after a panic too.
    struct Before(Option<usize>);
    impl Drop for Before {
        fn drop(&mut self) {
            AS_IF.set(self.0);
        }
    }
    let _before = Before(AS_IF.replace(Some(size)));
    work()
}

/// The batch size by which a kernel for `n` images, or rows, is chosen.
pub fn size_to_choose_by(n: usize) -> usize {
    AS_IF.get().unwrap_or(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_holds_for_the_work_alone() {
        assert_eq!(size_to_choose_by(3), 3);
        let panics = || chosen_as_for(64, || panic!("{}", size_to_choose_by(3)));
        let said = std::panic::catch_unwind(panics).unwrap_err();
        assert_eq!(said.downcast_ref::<String>().unwrap(), "64");
        assert_eq!(size_to_choose_by(3), 3);
    }
}
