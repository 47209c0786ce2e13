//! Memory policies on a machine with one node (Linux's `mm/mempolicy.c`): all of them mean node 0, so a policy is checked,
//! remembered for the task that sets it, and has no other effect.

use super::{SysResult, range};
use crate::arch::trap::TrapFrame;
use crate::arch::uaccess::UserPtr;
use crate::task::current;
use abi::{CapSet, Errno};
use core::sync::atomic::Ordering::Relaxed;
use mm::page_abi::MBIND;

/// `MPOL_*`: the modes.
const DEFAULT: u32 = 0;
const PREFERRED: u32 = 1;
const BIND: u32 = 2;
const LOCAL: u32 = 4;
const PREFERRED_MANY: u32 = 5;
const MODES: u32 = 7;
/// `MPOL_F_*`: what may be added to a mode.
const STATIC_NODES: u32 = 1 << 15;
const RELATIVE_NODES: u32 = 1 << 14;
const NUMA_BALANCING: u32 = 1 << 13;
const MODE_FLAGS: u32 = STATIC_NODES | RELATIVE_NODES | NUMA_BALANCING;

/// Nodes that a set can name (Linux's `MAX_NUMNODES` is at most that), and those that there are.
const NODES_MAX: u64 = 64;
const NODE_BITS_MAX: u64 = 4096 * 8;
const ONLINE: u64 = 1;

/// Mode and flags of a policy, as it is stored.
fn policy(mode: u64, nodes: u64, maxnode: u64) -> Result<u32, Errno> {
    let (flags, mode) = (mode as u32 & MODE_FLAGS, mode as u32 & !MODE_FLAGS);
    let both = STATIC_NODES | RELATIVE_NODES;
    let balances = flags & NUMA_BALANCING != 0 && !matches!(mode, BIND | PREFERRED_MANY);
    if mode >= MODES || flags & both == both || balances {
        return Err(Errno::EINVAL);
    }
    let nodes = read_nodes(nodes, maxnode)?;
    let relative = flags & both != 0;
    match mode {
        DEFAULT if nodes != 0 => Err(Errno::EINVAL),
        DEFAULT => Ok(DEFAULT),
        LOCAL if nodes != 0 || relative => Err(Errno::EINVAL),
        LOCAL => Ok(LOCAL),
        PREFERRED if nodes == 0 && relative => Err(Errno::EINVAL),
        PREFERRED if nodes == 0 => Ok(LOCAL),
        // Relative nodes are folded onto those that there are.
        _ if nodes & ONLINE == 0 && (flags & RELATIVE_NODES == 0 || nodes == 0) => Err(Errno::EINVAL),
        mode => Ok(mode | flags),
    }
}

/// A set of nodes from a program (Linux's `get_nodes`).
fn read_nodes(addr: u64, maxnode: u64) -> Result<u64, Errno> {
    let bits = maxnode.wrapping_sub(1);
    if bits == 0 || addr == 0 {
        return Ok(0);
    }
    if bits > NODE_BITS_MAX {
        return Err(Errno::EINVAL);
    }
    let words = UserPtr::<u64>::new(addr);
    let mut nodes = 0;
    for word in 0..bits.div_ceil(u64::BITS.into()) {
        let mut value = words.at(word as usize)?.read()?;
        let rest = bits - word * 64;
        if rest < 64 {
            value &= (1 << rest) - 1;
        }
        match word {
            0 => nodes = value,
            _ if value != 0 => return Err(Errno::EINVAL),
            _ => {}
        }
    }
    Ok(nodes)
}

/// `set_mempolicy(2)`.
pub fn set_mempolicy(frame: &mut TrapFrame) -> SysResult {
    let [mode, nodes, maxnode, ..] = frame.args();
    let policy = policy(mode, nodes, maxnode)?;
    current().attributes.mempolicy.store(policy, Relaxed);
    Ok(0)
}

/// `mbind(2)`.
pub fn mbind(frame: &mut TrapFrame) -> SysResult {
    const STRICT: u64 = 1;
    const MOVE: u64 = 2;
    const MOVE_ALL: u64 = 4;
    let [addr, len, mode, nodes, maxnode, flags] = frame.args();
    let task = current();
    let mm = task.user_mm()?;
    let checked = policy(mode, nodes, maxnode);
    if let Err(error @ Errno::EFAULT) = checked {
        return Err(error);
    }
    if flags & !(STRICT | MOVE | MOVE_ALL) != 0 {
        return Err(Errno::EINVAL);
    }
    if flags & MOVE_ALL != 0 {
        task.require(CapSet::SYS_NICE)?;
    }
    let range = range(&mm, MBIND, addr, len)?;
    if range.is_empty() {
        return Ok(0);
    }
    checked?;
    let covered = mm.lock().is_covered(range.start, range.end);
    if covered { Ok(0) } else { Err(Errno::EFAULT) }
}

/// `get_mempolicy(2)`.
pub fn get_mempolicy(frame: &mut TrapFrame) -> SysResult {
    const NODE: u64 = 1;
    const ADDR: u64 = 2;
    const MEMS_ALLOWED: u64 = 4;
    let [mode, nodes, maxnode, addr, flags, _] = frame.args();
    let task = current();
    if nodes != 0 && maxnode < 1 || flags & !(NODE | ADDR | MEMS_ALLOWED) != 0 {
        return Err(Errno::EINVAL);
    }
    let policy = task.attributes.mempolicy.load(Relaxed);
    let (value, set) = if flags & MEMS_ALLOWED != 0 {
        if flags & (NODE | ADDR) != 0 {
            return Err(Errno::EINVAL);
        }
        (0, ONLINE)
    } else if flags & ADDR != 0 {
        task.user_mm()?.lock().vmas().at(addr).ok_or(Errno::EFAULT)?;
        // Policies of areas are not kept: the node is the only one.
        (0, 0)
    } else if addr != 0 || flags & NODE != 0 {
        return Err(Errno::EINVAL);
    } else {
        (policy, if matches!(policy, DEFAULT | LOCAL) { 0 } else { ONLINE })
    };
    if mode != 0 {
        UserPtr::<u32>::new(mode).write(value)?;
    }
    if nodes != 0 {
        let words = maxnode.min(NODE_BITS_MAX).wrapping_sub(1).div_ceil(NODES_MAX).max(1);
        for word in 0..words as usize {
            UserPtr::<u64>::new(nodes).at(word)?.write(if word == 0 { set } else { 0 })?;
        }
    }
    Ok(0)
}
