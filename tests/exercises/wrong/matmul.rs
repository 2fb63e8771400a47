//! Takes the length of B's rows for that of A's in one gradient, which square matrices don't show.
// says: a_gradient is right in 11 of 11 cases, b_gradient is right in
// says: "a column by a row"
// says: The first is at [0,

pub fn product(a: &[f64], b: &[f64], [m, k, n]: [usize; 3]) -> Vec<f64> {
    let mut c = vec![0.0; m * n];
    each([m, k, n], |i, p, j| c[i * n + j] += a[i * k + p] * b[p * n + j]);
    c
}

pub fn a_gradient(b: &[f64], c_grad: &[f64], [m, k, n]: [usize; 3]) -> Vec<f64> {
    let mut a_grad = vec![0.0; m * k];
    each([m, k, n], |i, p, j| a_grad[i * k + p] += c_grad[i * n + j] * b[p * n + j]);
    a_grad
}

pub fn b_gradient(a: &[f64], c_grad: &[f64], [m, k, n]: [usize; 3]) -> Vec<f64> {
    let mut b_grad = vec![0.0; k * n];
    each([m, k, n], |i, p, j| b_grad[p * n + j] += a[(i * n + p) % (m * k)] * c_grad[i * n + j]);
    b_grad
}

fn each([m, k, n]: [usize; 3], mut f: impl FnMut(usize, usize, usize)) {
    for i in 0..m {
        for p in 0..k {
            for j in 0..n {
                f(i, p, j);
            }
        }
    }
}
