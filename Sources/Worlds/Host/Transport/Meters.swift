import Metrics

/// What a transport counts.
struct Meters: Sendable {
  private let receivedBytes: Counter
  private let sentBytes: Counter
  private let refusedSockets: Counter
  private let dialled: Counter
  private let notDialled: Counter
  private let accepted: Counter
  private let brokenOff: Counter
  private let streamsHere: Counter
  private let streamsThere: Counter

  init(_ factory: any MetricsFactory) {
    func counter(_ name: String, _ labels: [(String, String)] = []) -> Counter {
      Counter(label: "murmur_transport_\(name)_total", dimensions: labels, factory: factory)
    }
    receivedBytes = counter("received_bytes")
    sentBytes = counter("sent_bytes")
    refusedSockets = counter("refused_sockets")
    dialled = counter("dials", [("result", "connected")])
    notDialled = counter("dials", [("result", "failed")])
    accepted = counter("accepted_connections")
    brokenOff = counter("failed_handshakes")
    streamsHere = counter("streams", [("opened", "here")])
    streamsThere = counter("streams", [("opened", "there")])
  }

  /// So many bytes came.
  func received(_ bytes: Int) { receivedBytes.increment(by: bytes) }
  /// So many bytes go.
  func sent(_ bytes: Int) { sentBytes.increment(by: bytes) }
  /// A socket was closed before anything was said.
  func refused() { refusedSockets.increment() }
  /// A dial came to an end.
  func dialled(_ isConnected: Bool) { (isConnected ? dialled : notDialled).increment() }
  /// A peer that dialled has proven who it is.
  func acceptedConnection() { accepted.increment() }
  /// A connection that was dialled from elsewhere ended before it was one.
  func failedHandshake() { brokenOff.increment() }
  /// A stream is open.
  func openedStream(here: Bool) { (here ? streamsHere : streamsThere).increment() }

  /// What the names of all metrics of a peer mean.
  static let help: [String: String] = [
    "murmur_transport_received_bytes_total": "Bytes that sockets received.",
    "murmur_transport_sent_bytes_total": "Bytes that were given to sockets.",
    "murmur_transport_refused_sockets_total": "Inbound sockets closed at once, as there were too many.",
    "murmur_transport_dials_total": "Dials that came to an end, by result.",
    "murmur_transport_accepted_connections_total": "Inbound connections whose peer has proven who it is.",
    "murmur_transport_failed_handshakes_total": "Inbound connections that ended before their peer had proven who it is.",
    "murmur_transport_streams_total": "Streams that were opened, here or by peers.",
    "murmur_node_peers": "Peers that are connected.",
    "murmur_node_partners": "Peers of the session that are connected.",
    "murmur_node_links": "Connections to peers; a peer may have several.",
    "murmur_node_streams": "Streams that are open.",
    "murmur_node_known_peers": "Peers whose addresses are remembered.",
    "murmur_node_unreachable_peers": "Peers that are being dialled, or that were in vain not long ago.",
    "murmur_node_table_peers": "Peers in a hash table.",
    "murmur_node_sent_messages_total": "Messages given to a stream, by protocol.",
    "murmur_node_received_messages_total": "Messages that came and could be read, by protocol.",
    "murmur_node_dropped_messages_total": "Messages that were not sent, by reason.",
    "murmur_node_unreadable_messages_total": "Messages of peers that could not be read.",
    "murmur_node_local_peers_total": "Peers told of by mDNS; one may be told of again.",
    "murmur_node_offences_total": "Times that peers broke the rules of a protocol.",
    "murmur_node_shut_out_peers_total": "Times that a peer was shut out for a while.",
    "murmur_blocks_held": "Blocks in memory and on the disk.",
    "murmur_blocks_held_bytes": "Bytes of the blocks held.",
    "murmur_blocks_served_total": "Blocks sent to peers.",
    "murmur_blocks_served_bytes_total": "Bytes of blocks sent to peers.",
    "murmur_blocks_fetched_total": "Blocks received that were wanted.",
    "murmur_blocks_fetched_bytes_total": "Bytes of blocks received that were wanted.",
    "murmur_blocks_unwanted_total": "Blocks received that nobody had asked for.",
    "murmur_store_errors_total": "Failures of the disk.",
    "murmur_session_cycles_total": "Work cycles begun.",
    "murmur_session_averages_total": "Averages that were tried, by what became of them.",
    "murmur_session_published_models_total": "Models of this peer that were announced.",
    "murmur_session_rejected_models_total": "Models of others that were not what they should be.",
    "murmur_session_failed_fetches_total": "Models and slices that could not be had.",
    "murmur_session_cycle": "The number of the work cycle.",
    "murmur_session_training_loss": "Mean loss of the last training.",
    "murmur_session_validation_accuracy": "Share of own validation rows that the newest model names rightly.",
    "murmur_session_validation_loss": "Mean loss of the newest model on own validation rows.",
    "murmur_session_model_age_seconds": "Since the newest model was made.",
    "murmur_session_ended": "1 when the session is over.",
    "murmur_event_loop_lag_seconds": "How much later than asked for the event loop came to a task.",
  ]
}
