import Foundation
import MurmurDiscovery
import MurmurWire
import NIOCore
import NIOPosix

/// An interface and an address family, where multicast DNS is spoken.
struct MulticastPlace: CustomStringConvertible {
  /// What tells places apart.
  struct Key: Hashable, Comparable, CustomStringConvertible {
    var index: Int
    var isIP6: Bool

    static func < (left: Key, right: Key) -> Bool {
      left.index != right.index ? left.index < right.index : !left.isIP6 && right.isIP6
    }
    var description: String { "\(index) (\(isIP6 ? "IPv6" : "IPv4"))" }
  }

  let key: Key
  let name: String
  let scope: MulticastDNS.Scope
  /// Where this peer can be reached there.
  let addresses: [Multiaddr]
  private let device: NIONetworkDevice

  var description: String { "\(name) (\(key.isIP6 ? "IPv6" : "IPv4"))" }

  /// The places where one of the addresses is this machine's, in the order of interfaces. IPv6 has no loopback place: there is no route
  /// for its groups on that interface.
  static func all(listening: [Multiaddr]) -> [MulticastPlace] {
    guard let devices = try? System.enumerateDevices() else { return [] }
    var found: [Key: MulticastPlace] = [:]
    for device in devices {
      guard let own = device.address, let text = own.ipAddress else { continue }
      let isIP6 = own.protocol == .inet6
      guard let here = try? Multiaddr(parsing: "/\(isIP6 ? "ip6" : "ip4")/\(text.prefix { $0 != "%" })") else { continue }
      let isLoopback = here.reach == .loopback
      guard !(isLoopback && isIP6), isLoopback || device.multicastSupported else { continue }
      let reachable = listening.filter { $0.hostBytes == here.hostBytes }
      let key = Key(index: device.interfaceIndex, isIP6: isIP6)
      guard !reachable.isEmpty else { continue }
      let addresses = (found[key]?.addresses ?? []) + reachable
      found[key] = MulticastPlace(
        key: key, name: device.name, scope: isLoopback ? .loopback : .network, addresses: addresses,
        device: found[key]?.device ?? device)
    }
    return found.keys.sorted().compactMap { found[$0] }
  }

  /// Where the group is.
  private func group(port: Int) throws -> SocketAddress {
    // The name of the interface is part of an IPv6 group's address; the system's resolver reads it without asking anybody.
    key.isIP6
      ? try SocketAddress.makeAddressResolvingHost("ff02::fb%\(name)", port: port)
      : try SocketAddress(ipAddress: "224.0.0.251", port: port)
  }

  /// Opens a socket that hears what is sent to the group on this interface, and nothing else: it is bound to the group's address, so that
  /// nobody off the link reaches it.
  func open(on loop: any EventLoop, port: Int, _ make: @escaping (SocketAddress) -> MulticastHandler) -> EventLoopFuture<
    (any Channel, NIOLoopBound<MulticastHandler>)
  > {
    let group: SocketAddress
    do { group = try self.group(port: port) } catch { return loop.makeFailedFuture(error) }
    let handler = NIOLoopBound(make(group), eventLoop: loop)
    var bootstrap = DatagramBootstrap(group: loop)
      .channelOption(.socketOption(.so_reuseaddr), value: 1)
      .channelOption(
        ChannelOptions.Types.SocketOption(level: .socket, name: NIOBSDSocket.Option(rawValue: SO_REUSEPORT)), value: 1
      )
      .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: DNSMessage.mostBytes + 1))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler.value) }
      }
    if key.isIP6 {
      bootstrap = bootstrap.channelOption(
        ChannelOptions.Types.SocketOption(level: .ipv6, name: .ipv6_v6only), value: 1)
    }
    let (device, key) = (device, key)
    return bootstrap.bind(to: group).flatMap { channel in
      MulticastPlace.prepare(channel, device, key, group).map { (channel, handler) }
        .flatMapError { error in
          channel.close(promise: nil)
          return loop.makeFailedFuture(error)
        }
    }
  }

  /// Joins the group. Sends go out of this interface, with the hop limit that RFC 6762 wants, and come back to this machine's other peers.
  private static func prepare(_ channel: any Channel, _ device: NIONetworkDevice, _ key: Key, _ group: SocketAddress)
    -> EventLoopFuture<Void>
  {
    guard let options = channel as? any SocketOptionProvider, let multicast = channel as? any MulticastChannel else {
      return channel.eventLoop.makeFailedFuture(NodeError("this system's sockets know no multicast"))
    }
    var done: [EventLoopFuture<Void>] = []
    switch device.address.flatMap({ Multiaddr($0)?.hostBytes }) {
    case .some(let bytes) where !key.isIP6:
      // The interface by its address, and the group before it, as C's `in_addr` and `ip_mreq` have them. `joinGroup` does not take the
      // loopback interface, which takes multicast without saying so.
      let interface = bytes.reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      let membership = UInt64(interface) << 32 | 0xfb00_00e0
      done.append(
        options.unsafeSetSocketOption(level: .ip, name: .ip_multicast_if, value: UInt32(littleEndian: interface)))
      done.append(
        options.unsafeSetSocketOption(level: .ip, name: .ip_add_membership, value: UInt64(littleEndian: membership)))
      done.append(options.setIPMulticastTTL(255))
      done.append(options.setIPMulticastLoop(1))
      #if os(Linux)
      // IP_MULTICAST_ALL, which the C library's headers do not name: what other sockets joined is not for this one.
      let all = NIOBSDSocket.Option(rawValue: 49)
      done.append(options.unsafeSetSocketOption(level: .ip, name: all, value: CInt(0)))
      #endif
    default:
      done.append(options.setIPv6MulticastIF(CUnsignedInt(key.index)))
      done.append(options.setIPv6MulticastHops(255))
      done.append(options.setIPv6MulticastLoop(1))
      done.append(multicast.joinGroup(group, device: device))
    }
    return EventLoopFuture.andAllSucceed(done, on: channel.eventLoop)
  }
}
