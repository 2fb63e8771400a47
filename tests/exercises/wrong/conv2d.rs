//! Turns the kernel round, as mathematics has it in a convolution, and knows no strides.
// says: output_size is right in
// says: conv2d is right in
// says: "a stride of two rows"
// says: output_size gives size

#[derive(Clone, Copy, Debug)]
pub struct Padding {
    pub top: usize,
    pub bottom: usize,
    pub left: usize,
    pub right: usize,
}

pub fn output_size([h, w]: [usize; 2], [kh, kw]: [usize; 2], _: [usize; 2], padding: Padding) -> [usize; 2] {
    [h + padding.top + padding.bottom - kh + 1, w + padding.left + padding.right - kw + 1]
}

pub fn conv2d(
    x: &[f64],
    [n, h, width, c_in]: [usize; 4],
    w: &[f64],
    [kh, kw, _, c_out]: [usize; 4],
    stride: [usize; 2],
    padding: Padding,
) -> Vec<f64> {
    let [out_h, out_w] = output_size([h, width], [kh, kw], stride, padding);
    let mut y = Vec::new();
    for place in 0..n * out_h * out_w {
        let (b, oy, ox) = (place / (out_h * out_w), place / out_w % out_h, place % out_w);
        for o in 0..c_out {
            let mut sum = 0.0;
            for tap in 0..kh * kw {
                let row = (oy + tap / kw).checked_sub(padding.top).filter(|&row| row < h);
                let column = (ox + tap % kw).checked_sub(padding.left).filter(|&column| column < width);
                if let (Some(row), Some(column)) = (row, column) {
                    let flipped = kh * kw - 1 - tap;
                    for c in 0..c_in {
                        sum += x[((b * h + row) * width + column) * c_in + c] * w[(flipped * c_in + c) * c_out + o];
                    }
                }
            }
            y.push(sum);
        }
    }
    y
}
