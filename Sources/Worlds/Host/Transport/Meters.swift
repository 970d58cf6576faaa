import Metrics

/// What a transport counts.
struct Meters: Sendable {
  private let receivedBytes = Counter(label: "murmur_transport_received_bytes")
  private let sentBytes = Counter(label: "murmur_transport_sent_bytes")
  private let refusedConnections = Counter(label: "murmur_transport_refused_connections")
  private let openLinks = Gauge(label: "murmur_transport_links")

  /// So many bytes came.
  func received(_ bytes: Int) { receivedBytes.increment(by: bytes) }
  /// So many bytes go.
  func sent(_ bytes: Int) { sentBytes.increment(by: bytes) }
  /// A socket was closed before anything was said.
  func refused() { refusedConnections.increment() }
  /// So many links there are.
  func links(_ count: Int) { openLinks.record(count) }
}
