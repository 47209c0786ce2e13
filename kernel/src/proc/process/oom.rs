//! How a process fares when memory runs out: `oom_score`, `oom_score_adj`, and `oom_adj`, the older scale of the same.

use super::Process;
use crate::proc::sysctl::parse;
use crate::task::oom::{self, SCORE_ADJ_MAX, SCORE_ADJ_MIN};
use crate::task::{Task, current};
use abi::{CapSet, Errno};
use core::sync::atomic::Ordering::Relaxed;
use fs::pseudo::Text;

/// Ends of the older scale; the lowest is special: never.
const ADJ_DISABLE: i64 = -17;
const ADJ_MAX: i64 = 15;

/// `/proc/PID/oom_score`.
pub fn show_score(process: &Process, out: &mut Text) -> Result<(), Errno> {
    out.print(format_args!("{}\n", oom::score(&*process.task()?)))
}

/// `/proc/PID/oom_score_adj`.
pub fn show_score_adj(process: &Process, out: &mut Text) -> Result<(), Errno> {
    out.print(format_args!("{}\n", process.task()?.attributes.oom_score_adj.load(Relaxed)))
}

/// Sets it. EINVAL for what is no number or out of range; EACCES for less than a privileged process has set.
pub fn set_score_adj(process: &Process, value: &[u8]) -> Result<(), Errno> {
    let value = parse(value).ok_or(Errno::EINVAL)?;
    set(&*process.task()?, value)
}

/// `/proc/PID/oom_adj`.
pub fn show_adj(process: &Process, out: &mut Text) -> Result<(), Errno> {
    let adj = match process.task()?.attributes.oom_score_adj.load(Relaxed) {
        SCORE_ADJ_MAX => ADJ_MAX,
        adj => i64::from(adj) * -ADJ_DISABLE / i64::from(SCORE_ADJ_MAX),
    };
    out.print(format_args!("{adj}\n"))
}

/// Sets it (Linux: `oom_adj_write`).
pub fn set_adj(process: &Process, value: &[u8]) -> Result<(), Errno> {
    let value = parse(value).ok_or(Errno::EINVAL)?;
    if !(ADJ_DISABLE..=ADJ_MAX).contains(&value) {
        return Err(Errno::EINVAL);
    }
    let max = i64::from(SCORE_ADJ_MAX);
    set(&*process.task()?, if value == ADJ_MAX { max } else { value * max / -ADJ_DISABLE })
}

fn set(task: &Task, value: i64) -> Result<(), Errno> {
    let range = i64::from(SCORE_ADJ_MIN)..=i64::from(SCORE_ADJ_MAX);
    let value = i16::try_from(value).ok().filter(|value| range.contains(&i64::from(*value)));
    let value = value.ok_or(Errno::EINVAL)?;
    let privileged = current().has_capability(CapSet::SYS_RESOURCE);
    let attributes = &task.attributes;
    if value < attributes.oom_score_adj_min.load(Relaxed) && !privileged {
        return Err(Errno::EACCES);
    }
    attributes.oom_score_adj.store(value, Relaxed);
    if privileged {
        attributes.oom_score_adj_min.store(value, Relaxed);
    }
    Ok(())
}
