internal import CUdev
internal import Glibc

/// libudev's context with its monitors: owns the pointers, belongs to one thread (libudev is not safe for several).
final class LibUdev {
  private let context: OpaquePointer
  private var monitors: [OpaquePointer] = []

  /// Nil where the system refuses one.
  init?() {
    guard let context = udev_new() else { return nil }
    self.context = context
  }

  deinit {
    for monitor in monitors { udev_monitor_unref(monitor) }
    udev_unref(context)
  }

  /// Begins to listen for changes. Where no udevd serves this host the kernel's own messages are heard too.
  func startMonitoring() {
    let groups = access("/run/udev/control", F_OK) == 0 ? ["udev"] : ["udev", "kernel"]
    for group in groups {
      guard let monitor = udev_monitor_new_from_netlink(context, group) else { continue }
      udev_monitor_set_receive_buffer_size(monitor, 1 << 20)
      if udev_monitor_enable_receiving(monitor) >= 0 {
        monitors.append(monitor)
      } else {
        udev_monitor_unref(monitor)
      }
    }
  }

  var descriptors: [Int32] { monitors.map { udev_monitor_get_fd($0) } }

  /// Takes all messages that have arrived; true: there was one.
  func drain() -> Bool {
    var isAny = false
    for monitor in monitors {
      while let device = udev_monitor_receive_device(monitor) {
        udev_device_unref(device)
        isAny = true
      }
    }
    return isAny
  }

  /// All devices whose subsystem matches one of the patterns; nil: all devices.
  func devices(ofSubsystems subsystems: [String]?) -> [LibUdevNode] {
    guard let enumeration = udev_enumerate_new(context) else { return [] }
    defer { udev_enumerate_unref(enumeration) }
    for subsystem in subsystems ?? [] { udev_enumerate_add_match_subsystem(enumeration, subsystem) }
    guard udev_enumerate_scan_devices(enumeration) >= 0 else { return [] }
    var nodes: [LibUdevNode] = []
    var entry = udev_enumerate_get_list_entry(enumeration)
    while let current = entry {
      if let path = udev_list_entry_get_name(current), let device = udev_device_new_from_syspath(context, path) {
        nodes.append(LibUdevNode(owning: device))
      }
      entry = udev_list_entry_get_next(current)
    }
    return nodes
  }

  /// The device of this path (without `/sys`); nil where there is none.
  func device(atDevpath path: String) -> LibUdevNode? {
    udev_device_new_from_syspath(context, "/sys" + path).map { LibUdevNode(owning: $0) }
  }

  /// The device of a node below `/dev`; nil where there is none.
  func device(atDevnode path: String) -> LibUdevNode? {
    var status = stat()
    if stat(path, &status) == 0 {
      let kind: CChar =
        status.st_mode & S_IFMT == S_IFBLK ? CChar(bitPattern: UInt8(ascii: "b")) : CChar(bitPattern: UInt8(ascii: "c"))
      if let device = udev_device_new_from_devnum(context, kind, status.st_rdev) { return LibUdevNode(owning: device) }
    }
    return devices(ofSubsystems: nil).first { $0.devnode == path }
  }
}

/// A device of libudev; belongs to the thread of its context.
final class LibUdevNode: UdevNode {
  private let device: OpaquePointer

  /// Takes the reference over.
  init(owning device: OpaquePointer) { self.device = device }
  deinit { udev_device_unref(device) }

  private func text(_ pointer: UnsafePointer<CChar>?) -> String? { pointer.map { String(cString: $0) } }

  var kernel: String { text(udev_device_get_sysname(device)) ?? "" }
  var devpath: String { text(udev_device_get_devpath(device)) ?? "" }
  var subsystem: String { text(udev_device_get_subsystem(device)) ?? "" }
  var driver: String { text(udev_device_get_driver(device)) ?? "" }
  var devnode: String? { text(udev_device_get_devnode(device)) }

  var tags: [String] {
    var tags: [String] = []
    var entry = udev_device_get_tags_list_entry(device)
    while let current = entry {
      if let name = text(udev_list_entry_get_name(current)) { tags.append(name) }
      entry = udev_list_entry_get_next(current)
    }
    return tags
  }

  func property(_ name: String) -> String? { text(udev_device_get_property_value(device, name)) }

  func attribute(_ name: String) -> String? {
    guard var value = text(udev_device_get_sysattr_value(device, name)) else { return nil }
    while value.last?.isWhitespace ?? false { value.removeLast() }
    return value
  }

  var parent: LibUdevNode? {
    // The parent belongs to its child, which therefore gives away a reference of its own.
    udev_device_get_parent(device).flatMap { udev_device_ref($0) }.map { LibUdevNode(owning: $0) }
  }
}
