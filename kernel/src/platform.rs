//! What the machine is, read once from the device tree that the loader hands over (Linux: `drivers/of`).
//! [`init`] runs before there is a heap; afterwards [`get`] is a plain record that drivers read. The properties
//! are those of the Devicetree Specification and of the bindings of the devices named here.

use crate::arch::dtb;
use crate::arch::exit::PsciConduit;
use arrayvec::ArrayVec;
use core::ops::Range;
use dtoolkit::fdt::{Fdt, FdtNode};
use dtoolkit::{Node, Property, ToCellInt};
use mm::memblock::{Memblock, TooManyRanges};
use spin::Once;

/// CPUs that we can name; more are left alone.
pub const MAX_CPUS: usize = 512;
/// QEMU's virt machine has 32 virtio-mmio slots.
pub const MAX_VIRTIO: usize = 64;

static PLATFORM: Once<Platform> = Once::new();

/// A device's registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registers {
    /// Physical address of the first byte.
    pub pa: u64,
    /// Length in bytes.
    pub size: u64,
}

/// How an interrupt line signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// A rising edge.
    Edge,
    /// A high level.
    Level,
}

/// An interrupt, by the number that the GIC uses: 16 to 31 are private to a CPU, 32 and up shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Irq {
    /// GIC interrupt identifier.
    pub intid: u32,
    /// How the line signals.
    pub trigger: Trigger,
}

/// The interrupt controller.
#[derive(Debug, Clone)]
pub enum Gic {
    /// GICv2: distributor and CPU interface.
    V2 {
        /// The distributor.
        distributor: Registers,
        /// The CPU interface.
        cpu: Registers,
    },
    /// GICv3: distributor and redistributor regions.
    V3 {
        /// The distributor.
        distributor: Registers,
        /// The redistributors, one region or more.
        redistributors: ArrayVec<Registers, 4>,
    },
}

/// A device with one block of registers and one interrupt.
#[derive(Debug, Clone, Copy)]
pub struct Device {
    /// Its registers.
    pub registers: Registers,
    /// Its interrupt.
    pub irq: Irq,
}

/// The generic timer's interrupts.
#[derive(Debug, Clone, Copy)]
pub struct TimerIrqs {
    /// EL1 virtual timer: the one that works under a hypervisor too.
    pub virt: Irq,
}

/// The machine.
#[derive(Debug)]
pub struct Platform {
    /// The kernel's command line.
    pub cmdline: &'static str,
    /// MPIDR affinity of each CPU, in the order of the device tree.
    pub cpus: ArrayVec<u64, MAX_CPUS>,
    /// The interrupt controller.
    pub gic: Option<Gic>,
    /// The console.
    pub uart: Option<Device>,
    /// The clock chip.
    pub rtc: Option<Registers>,
    /// The timer.
    pub timer: Option<TimerIrqs>,
    /// How PSCI is called.
    pub psci: Option<PsciConduit>,
    /// All virtio-mmio slots, by address; most are empty.
    pub virtio: ArrayVec<Device, MAX_VIRTIO>,
    /// Random bytes from the loader.
    pub rng_seed: &'static [u8],
    /// One more random number from the loader.
    pub kaslr_seed: u64,
}

/// Why the machine cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlatformError {
    /// No device tree, or a damaged one.
    DeviceTree,
    /// No memory, or in too many pieces.
    Memory,
}

impl From<TooManyRanges> for PlatformError {
    fn from(_: TooManyRanges) -> Self {
        PlatformError::Memory
    }
}

/// The machine. Panics before [`init`].
pub fn get() -> &'static Platform {
    PLATFORM.get().expect("platform::init has run")
}

/// Reads the device tree, and enters RAM, the image, the tree itself and what it reserves into `memblock`.
pub fn init(info: &boot::BootInfo, memblock: &mut Memblock) -> Result<&'static Platform, PlatformError> {
    let bytes = dtb::bytes(info.dtb).ok_or(PlatformError::DeviceTree)?;
    let fdt = Fdt::new(bytes).map_err(|_| PlatformError::DeviceTree)?;
    read_memory(&fdt, memblock)?;
    memblock.reserve(info.image..info.image + info.image_size)?;
    memblock.reserve(info.dtb..info.dtb + bytes.len() as u64)?;
    Ok(PLATFORM.call_once(|| read_devices(&fdt)))
}

fn read_memory(fdt: &Fdt<'static>, memblock: &mut Memblock) -> Result<(), PlatformError> {
    for node in fdt.root().children() {
        let is_memory = property(&node, "device_type").is_some_and(|p| p.value_as::<&str>() == Ok("memory"));
        if is_memory {
            for range in ranges(node) {
                memblock.add(range)?;
            }
        }
    }
    for reservation in fdt.memory_reservations() {
        memblock.reserve(reservation.address()..reservation.address().saturating_add(reservation.size()))?;
    }
    for node in fdt.find_node("/reserved-memory").iter().flat_map(|n| n.children()) {
        for range in ranges(node) {
            memblock.reserve(range)?;
        }
    }
    if memblock.total() == 0 { Err(PlatformError::Memory) } else { Ok(()) }
}

fn read_devices(fdt: &Fdt<'static>) -> Platform {
    let mut platform = Platform {
        cmdline: "",
        cpus: ArrayVec::new(),
        gic: None,
        uart: None,
        rtc: None,
        timer: None,
        psci: None,
        virtio: ArrayVec::new(),
        rng_seed: &[],
        kaslr_seed: 0,
    };
    if let Some(chosen) = fdt.find_node("/chosen") {
        platform.cmdline = property(&chosen, "bootargs").and_then(|p| p.value_as().ok()).unwrap_or("");
        platform.rng_seed = property(&chosen, "rng-seed").and_then(|p| p.value_as().ok()).unwrap_or(&[]);
        platform.kaslr_seed = property(&chosen, "kaslr-seed").and_then(|p| p.value_as().ok()).unwrap_or(0);
    }
    for cpu in fdt.find_node("/cpus").iter().flat_map(|n| n.children()) {
        if cpu.name_without_address() == "cpu"
            && let Some(Ok(id)) = cpu.reg().ok().flatten().and_then(|mut r| r.next()).map(|r| r.address())
        {
            let _ = platform.cpus.try_push(id);
        }
    }
    for node in fdt.root().children() {
        read_device(node, &mut platform);
    }
    platform.virtio.sort_unstable_by_key(|device| device.registers.pa);
    platform
}

/// Enters one node of the root into the platform, by the first of its names that we know.
fn read_device(node: FdtNode<'static>, platform: &mut Platform) {
    for name in node.compatible().into_iter().flatten() {
        match name {
            "arm,gic-v3" => platform.gic = platform.gic.take().or_else(|| gic_v3(node)),
            "arm,cortex-a15-gic" | "arm,gic-400" => {
                platform.gic = platform.gic.take().or_else(|| gic_v2(node))
            }
            "arm,pl011" => platform.uart = platform.uart.or_else(|| device(node)),
            "arm,pl031" => platform.rtc = platform.rtc.or_else(|| registers(node).next()),
            "arm,armv8-timer" => {
                // Secure physical, physical, virtual, hypervisor: the binding's order.
                if let Some(virt) = interrupts(node).nth(2) {
                    platform.timer = Some(TimerIrqs { virt });
                }
            }
            "arm,psci-1.0" | "arm,psci-0.2" => {
                platform.psci = match property(&node, "method").and_then(|p| p.value_as().ok()) {
                    Some("hvc") => Some(PsciConduit::Hvc),
                    Some("smc") => Some(PsciConduit::Smc),
                    _ => None,
                };
            }
            "virtio,mmio" => {
                if let Some(device) = device(node) {
                    let _ = platform.virtio.try_push(device);
                }
            }
            _ => continue,
        }
        return;
    }
}

fn gic_v2(node: FdtNode<'static>) -> Option<Gic> {
    let mut blocks = registers(node);
    Some(Gic::V2 { distributor: blocks.next()?, cpu: blocks.next()? })
}

fn gic_v3(node: FdtNode<'static>) -> Option<Gic> {
    let regions =
        property(&node, "#redistributor-regions").and_then(|p| p.value_as::<u32>().ok()).unwrap_or(1);
    let mut blocks = registers(node);
    let distributor = blocks.next()?;
    let redistributors: ArrayVec<_, 4> = blocks.take(regions.clamp(1, 4) as usize).collect();
    if redistributors.is_empty() { None } else { Some(Gic::V3 { distributor, redistributors }) }
}

fn device(node: FdtNode<'static>) -> Option<Device> {
    Some(Device { registers: registers(node).next()?, irq: interrupts(node).next()? })
}

fn registers(node: FdtNode<'static>) -> impl Iterator<Item = Registers> {
    node.reg().ok().flatten().into_iter().flatten().filter_map(|reg| {
        let (pa, size) = (reg.address::<u64>().ok()?, reg.size::<u64>().ok()?);
        Some(Registers { pa, size })
    })
}

fn ranges(node: FdtNode<'static>) -> impl Iterator<Item = Range<u64>> {
    registers(node).map(|r| r.pa..r.pa.saturating_add(r.size))
}

/// The interrupts of a node in the GIC's three-cell binding: kind, number, flags.
fn interrupts(node: FdtNode<'static>) -> impl Iterator<Item = Irq> {
    let cells = property(&node, "interrupts").and_then(|p| p.as_prop_encoded_array([1, 1, 1]).ok());
    cells.into_iter().flatten().filter_map(|[kind, number, flags]| {
        let (kind, number, flags): (u32, u32, u32) =
            (kind.to_int().ok()?, number.to_int().ok()?, flags.to_int().ok()?);
        let base = match kind {
            0 => 32,
            1 => 16,
            _ => return None,
        };
        let trigger = if flags & 3 != 0 { Trigger::Edge } else { Trigger::Level };
        Some(Irq { intid: base + number, trigger })
    })
}

fn property<'n>(node: &'n FdtNode<'static>, name: &str) -> Option<<FdtNode<'static> as Node>::Property<'n>> {
    node.property(name)
}
