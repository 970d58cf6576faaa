import Foundation
import Logging
import Metrics
import MurmurHost
import MurmurIdentity
import MurmurMachines
import NIOCore
import NIOPosix
import ServiceLifecycle

/// Everything that `murmur peer` runs, as one group of services.
enum PeerServices {
  /// How long a peer may take to stop when it is told to; then it is ended as it is.
  static let patience = Duration.seconds(15)

  static func configuration(_ name: String, _ service: any Service) -> ServiceGroupConfiguration.ServiceConfiguration {
    ServiceGroupConfiguration.ServiceConfiguration(
      service: service, successTerminationBehavior: .gracefullyShutdownGroup, serviceName: name)
  }

  /// Runs until one of the services ends or `isStopped` says so. ``Interruption`` hears the signals, as the second one has to end all at
  /// once; so the group traps none.
  static func run(
    _ services: [ServiceGroupConfiguration.ServiceConfiguration], logger: Logger, isStopped: @escaping @Sendable () -> Bool
  ) async throws {
    let group = ServiceGroup(configuration: ServiceGroupConfiguration(services: services, logger: logger))
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      tasks.addTask {
        while !isStopped() { try await _Concurrency.Task.sleep(for: .milliseconds(50)) }
        await group.triggerGracefulShutdown()
        try await _Concurrency.Task.sleep(for: patience)
        Console().say(
          """
          murmur: the peer did not stop within \(patience): a disk or a connection does not answer. What was acknowledged is on the \
          disk; started with the same --store it goes on from there
          """)
        _exit(1)
      }
      try await tasks.next()
      tasks.cancelAll()
    }
  }
}

/// The peer itself: its node, workers and store.
struct PeerService: Service {
  let peer: RunningPeer
  let untilOver: Bool

  func run() async throws {
    try await peer.live(untilOver: untilOver) { _Concurrency.Task.isShuttingDownGracefully }
  }
}

/// The endpoint for metrics, which listens already.
struct MetricsService: Service {
  let endpoint: MetricsEndpoint

  func run() async throws {
    try? await gracefulShutdown()
    try await endpoint.close()
  }
}

/// Multicast DNS.
struct DiscoveryService: Service {
  let discovery: LocalDiscovery

  func run() async throws {
    try await discovery.start()
    try? await gracefulShutdown()
    try await discovery.close()
  }

  /// Whom it finds, the node hears of.
  static func discovery(for node: Node, group: any EventLoopGroup, logger: Logger) async throws -> LocalDiscovery {
    var configuration = LocalDiscovery.Configuration()
    configuration.logger = logger
    // Names and delays are to differ between peers, also between those that a seed makes alike.
    var generator = SystemRandomNumberGenerator()
    return try await LocalDiscovery.make(
      id: node.id, listening: node.snapshot().listening, chance: Chance(seed: generator.next()), group: group,
      configuration: configuration
    ) { peer, addresses in
      _Concurrency.Task { try? await node.heard(peer, at: addresses) }
    }
  }
}

/// The metrics of `murmur peer`.
enum PeerMetrics {
  /// The address of `--metrics`: a host's internet address and a port, or a port of the loopback interface.
  static func address(_ text: String) throws -> SocketAddress {
    let colon = text.lastIndex(of: ":")
    var host = colon.map { String(text[..<$0]) } ?? ""
    let digits = colon.map { text[text.index(after: $0)...] } ?? text[...]
    if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
    if host.isEmpty || host == "localhost" { host = "127.0.0.1" }
    guard let port = UInt16(digits), let address = try? SocketAddress(ipAddress: host, port: Int(port)) else {
      throw Failure("--metrics \(text): give an internet address and a port, such as 127.0.0.1:9100, or a port alone")
    }
    return address
  }

  /// Collects from now on what is counted, and serves it; nothing without an address. Once in a process.
  static func start(_ address: SocketAddress?, _ group: any EventLoopGroup, _ logger: Logger) async throws -> MetricsEndpoint? {
    guard let address else { return nil }
    let registry = PrometheusRegistry.ofNode()
    let endpoint: MetricsEndpoint
    do {
      endpoint = try await MetricsEndpoint.start(
        at: address, registry: registry, version: Release.version, group: group, logger: logger)
    } catch {
      throw Failure("--metrics \(words(address)): \(error); is the port in use, or the address of another machine?")
    }
    MetricsSystem.bootstrap(registry)
    if !isLoopback(address) {
      logger.warning("metrics at \(words(address)) can be read by whoever reaches it: nothing asks who, nothing is encrypted")
    }
    return endpoint
  }

  /// Where a browser finds them.
  static func url(_ endpoint: MetricsEndpoint) -> String { "http://\(endpoint.address.map(words) ?? "")/metrics" }

  private static func words(_ address: SocketAddress) -> String {
    let host = address.ipAddress ?? ""
    return "\(host.contains(":") ? "[\(host)]" : host):\(address.port ?? 0)"
  }

  private static func isLoopback(_ address: SocketAddress) -> Bool {
    address.ipAddress.map { $0.hasPrefix("127.") || $0 == "::1" } ?? false
  }
}
