//! `minimax gradcheck`: runs the case table and prints what it finds.

use super::device::{Choice, Isa, Precision};
use super::whole;
use crate::check::cases::{Case, cases, large};
use crate::check::gradcheck::{Row, check};
use crate::storage::Device;
use crate::{Error, Result};
use clap::Args;

/// The arguments of `minimax gradcheck`.
#[derive(Args, Debug)]
pub struct GradcheckArgs {
    /// Check only this op
    #[arg(long, value_name = "NAME")]
    op: Option<String>,
    /// Check only gradients (1), or only gradients of gradients (2)
    #[arg(long, value_name = "1|2", value_parser = whole::<u8>(1..=2))]
    order: Option<u8>,
    /// Device to check: `reference` against finite differences; `cpu` and `cuda`, values too, against the reference
    #[arg(long, value_name = "DEVICE", default_value = "reference")]
    device: Device,
    /// Precision of a CUDA device's products; tf32 has a wider limit
    #[arg(long, value_enum, default_value_t)]
    precision: Precision,
    /// Instruction set of the processor's kernels; the results don't depend on it
    #[arg(long, value_enum, default_value_t, value_name = "SET")]
    isa: Isa,
    /// Check the cases with large arrays instead, which cross every block and tile boundary; not for the reference
    #[arg(long)]
    large: bool,
}

/// Runs the checks and prints a line for each, then how many passed.
///
/// # Errors
/// If `--op` names no op, a check fails, or standard output can't be written to.
pub fn run(args: &GradcheckArgs) -> Result<()> {
    run_to(args, &mut super::print)
}

/// As [`run`], with each line given to `print`.
fn run_to(args: &GradcheckArgs, print: Print) -> Result<()> {
    if args.large && args.device == Device::Reference {
        let what = "--large compares a device with the reference; name one by --device";
        return Err(Error::Usage(what.into()));
    }
    let cases = chosen_cases(args.op.as_deref(), args.large)?;
    let orders: &[u8] = match args.order {
        Some(1) => &[1],
        Some(_) => &[2],
        None => &[0, 1, 2],
    };
    Choice::Given(args.device).resolve()?;
    args.precision.set(args.device)?;
    args.isa.set()?;
    let mut table = Table::new(&cases, print);
    table.header()?;
    for case in &cases {
        for row in check(case, orders, args.device) {
            table.row(&row)?;
        }
    }
    table.summary(args.device)
}

fn chosen_cases(op: Option<&str>, are_large: bool) -> Result<Vec<Case>> {
    let mut cases = match are_large {
        true => large::cases(),
        false => cases(),
    };
    if let Some(op) = op {
        let mut known: Vec<_> = cases.iter().map(|case| case.op).collect();
        cases.retain(|case| case.op == op);
        if cases.is_empty() {
            known.sort_unstable();
            known.dedup();
            let known = known.join(", ");
            return Err(Error::Usage(format!("--op {op}: no such op; use one of {known}")));
        }
    }
    Ok(cases)
}

/// A function that prints a line.
type Print<'a> = &'a mut dyn FnMut(&str) -> Result<()>;

/// The table as it is printed, line by line, with columns as wide as their widest entry.
struct Table<'a> {
    print: Print<'a>,
    op_width: usize,
    case_width: usize,
    checks: usize,
    failed: usize,
}

impl<'a> Table<'a> {
    fn new(cases: &[Case], print: Print<'a>) -> Table<'a> {
        let width = |text: &str| text.chars().count();
        Table {
            print,
            op_width: cases.iter().map(|c| width(c.op)).max().unwrap_or(0),
            case_width: cases.iter().map(|c| width(&c.name)).max().unwrap_or(0),
            checks: 0,
            failed: 0,
        }
    }

    fn header(&mut self) -> Result<()> {
        self.line(&self.columns(["op", "case", "order", "largest error", "limit", "result"]))
    }

    fn row(&mut self, row: &Row) -> Result<()> {
        self.checks += 1;
        self.failed += usize::from(!row.passed());
        self.line(&self.columns([
            row.op,
            &row.case,
            &row.order.to_string(),
            &format!("{:.1e}", row.error),
            &format!("{:.0e}", row.limit),
            if row.passed() { "pass" } else { "FAIL" },
        ]))
    }

    fn columns(&self, [op, case, order, error, limit, result]: [&str; 6]) -> String {
        let (op_width, case_width) = (self.op_width, self.case_width);
        format!("{op:op_width$}  {case:case_width$}  {order:>5}  {error:>13}  {limit:>5}  {result}")
    }

    fn summary(mut self, device: Device) -> Result<()> {
        let (checks, failed) = (self.checks, self.failed);
        self.line(&format!("{checks} checks on {device}: {} passed, {failed} failed", checks - failed))?;
        match failed {
            0 => Ok(()),
            _ => Err(Error::CheckFailed(format!(
                "{failed} of {checks} checks failed on {device}; see the lines that end in FAIL"
            ))),
        }
    }

    fn line(&mut self, line: &str) -> Result<()> {
        (self.print)(&format!("{line}\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(op: &str, order: Option<u8>, device: Device) -> (Result<()>, String) {
        let args = GradcheckArgs {
            op: Some(op.into()),
            order,
            device,
            precision: Precision::F32,
            isa: Isa::Auto,
            large: false,
        };
        let mut text = String::new();
        let result = run_to(&args, &mut |line| {
            text.push_str(line);
            Ok(())
        });
        (result, text)
    }

    #[test]
    fn prints_a_line_per_check_and_a_summary() {
        let (result, text) = printed("exp", Some(2), Device::Reference);
        assert!(result.is_ok());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 6, "{text}");
        assert!(lines[0].starts_with("op"));
        assert!(lines[1].starts_with("exp  []") && lines[1].ends_with("pass"));
        assert_eq!(lines[5], "4 checks on reference: 4 passed, 0 failed");
        let (_, text) = printed("exp", None, Device::Cpu);
        assert!(text.ends_with("12 checks on cpu: 12 passed, 0 failed\n"));
    }

    #[test]
    fn an_unknown_op_is_a_usage_error_that_lists_the_known_ones() {
        let (result, text) = printed("conv3d", None, Device::Cpu);
        let error = result.unwrap_err();
        assert_eq!((error.exit_code(), text.as_str()), (2, ""));
        let said = error.to_string();
        assert!(said.starts_with("--op conv3d: no such op; use one of abs, add, "));
        assert!(!said.contains('\n'));
    }

    #[test]
    fn what_a_device_has_not_is_a_usage_error() {
        let mut args = GradcheckArgs {
            op: None,
            order: None,
            device: Device::Reference,
            precision: Precision::F32,
            isa: Isa::Auto,
            large: true,
        };
        let said = |args: &GradcheckArgs| {
            let error = run_to(args, &mut |_| Ok(())).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            error.to_string()
        };
        assert!(said(&args).starts_with("--large compares a device with the reference"));
        (args.large, args.precision) = (false, Precision::Tf32);
        assert!(said(&args).starts_with("--precision tf32 is for CUDA devices, not for reference"));
    }

    #[test]
    fn a_failed_check_is_printed_and_is_an_error() {
        let mut text = String::new();
        let mut print = |line: &str| {
            text.push_str(line);
            Ok(())
        };
        let mut table = Table::new(&[], &mut print);
        let row = Row { op: "exp", case: "[3]".into(), order: 1, error: f64::NAN, limit: 1e-7 };
        table.row(&row).unwrap();
        let error = table.summary(Device::Cpu).unwrap_err();
        assert_eq!(error.exit_code(), 1);
        assert!(text.lines().next().unwrap().ends_with("FAIL"), "{text}");
    }
}
