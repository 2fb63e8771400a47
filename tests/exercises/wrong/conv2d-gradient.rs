//! Turns the kernel round, as a convolution with a flipped kernel would need, and forgets the zeros before the image.
// says: input_gradient is right in 3 of 14
// says: a kernel of one row
// says: The first is at [0,0,0,0]

#[derive(Clone, Copy, Debug)]
pub struct Convolution {
    pub n: usize,
    pub h: usize,
    pub w: usize,
    pub c_in: usize,
    pub kh: usize,
    pub kw: usize,
    pub c_out: usize,
    pub out_h: usize,
    pub out_w: usize,
    pub stride: [usize; 2],
    pub top: usize,
    pub left: usize,
}

pub fn input_gradient(w: &[f64], y_grad: &[f64], convolution: &Convolution) -> Vec<f64> {
    let mut x_grad = vec![0.0; convolution.n * convolution.h * convolution.w * convolution.c_in];
    let last = w.len() / (convolution.c_in * convolution.c_out) - 1;
    each(convolution, |x, tap, weight, y| {
        x_grad[x] += w[(last - tap) * convolution.c_in * convolution.c_out + weight] * y_grad[y]
    });
    x_grad
}

pub fn kernel_gradient(x: &[f64], y_grad: &[f64], convolution: &Convolution) -> Vec<f64> {
    let size = convolution.c_in * convolution.c_out;
    let mut w_grad = vec![0.0; convolution.kh * convolution.kw * size];
    each(convolution, |at, tap, weight, y| w_grad[tap * size + weight] += x[at] * y_grad[y]);
    w_grad
}

fn each(c: &Convolution, mut f: impl FnMut(usize, usize, usize, usize)) {
    for b in 0..c.n {
        for oy in 0..c.out_h {
            for ox in 0..c.out_w {
                for tap in 0..c.kh * c.kw {
                    let (row, column) = (oy * c.stride[0] + tap / c.kw, ox * c.stride[1] + tap % c.kw);
                    if row < c.h && column < c.w {
                        for channel in 0..c.c_in {
                            for o in 0..c.c_out {
                                let x = ((b * c.h + row) * c.w + column) * c.c_in + channel;
                                f(x, tap, channel * c.c_out + o, ((b * c.out_h + oy) * c.out_w + ox) * c.c_out + o);
                            }
                        }
                    }
                }
            }
        }
    }
}
