import MurmurBlocks
import MurmurCollective
import MurmurMachines
import MurmurPeer
import MurmurRouting
import Metrics
import NIOCore

/// What a node counts, and what of it is looked at from time to time.
final class NodeMeters {
  /// Why a message was not sent.
  enum Drop: String, CaseIterable {
    /// Too much waits for the peer.
    case full
    /// The peer cannot be reached.
    case unreachable
    /// The peer could not be reached in time.
    case late
  }

  private typealias Pair = (sent: Counter, received: Counter)

  private let collective: Pair
  private let blocks: Pair
  private let pubsub: Pair
  private let drops: [Counter]
  private let gauges: [String: Gauge]
  private let counters: [String: Counter]
  private let adopted: Counter
  private let notAdopted: Counter
  private let tables: [Gauge]
  private let lag: Metrics.Timer
  /// What the exchange had counted when it was looked at last.
  private var exchanged: [String: Int] = [:]

  private static let gaugeNames = [
    "node_peers", "node_partners", "node_links", "node_streams", "node_known_peers", "node_unreachable_peers", "blocks_held",
    "blocks_held_bytes", "session_cycle", "session_training_loss", "session_validation_accuracy", "session_validation_loss",
    "session_model_age_seconds", "session_ended",
  ]
  private static let counterNames = [
    "node_unreadable_messages", "node_local_peers", "node_offences", "node_shut_out_peers", "blocks_served",
    "blocks_served_bytes", "blocks_fetched",
    "blocks_fetched_bytes", "blocks_unwanted", "store_errors", "session_cycles", "session_published_models",
    "session_rejected_models", "session_failed_fetches",
  ]

  init(_ factory: any MetricsFactory, tables names: [String]) {
    func counter(_ name: String, _ labels: [(String, String)] = []) -> Counter {
      Counter(label: "murmur_\(name)_total", dimensions: labels, factory: factory)
    }
    func pair(_ name: String) -> Pair {
      (counter("node_sent_messages", [("protocol", name)]), counter("node_received_messages", [("protocol", name)]))
    }
    (collective, blocks, pubsub) = (pair("collective"), pair("bitswap"), pair("pubsub"))
    drops = Drop.allCases.map { counter("node_dropped_messages", [("reason", $0.rawValue)]) }
    gauges = Dictionary(
      uniqueKeysWithValues: NodeMeters.gaugeNames.map { ($0, Gauge(label: "murmur_\($0)", dimensions: [], factory: factory)) })
    counters = Dictionary(uniqueKeysWithValues: NodeMeters.counterNames.map { ($0, counter($0)) })
    adopted = counter("session_averages", [("outcome", "adopted")])
    notAdopted = counter("session_averages", [("outcome", "dropped")])
    tables = names.map { Gauge(label: "murmur_node_table_peers", dimensions: [("table", $0)], factory: factory) }
    lag = Metrics.Timer(label: "murmur_event_loop_lag_seconds", dimensions: [], factory: factory)
  }

  // MARK: What happens

  /// A message was given to a stream.
  func sent(_ message: Peer.Message) { pair(message).sent.increment() }

  /// A message came.
  func received(_ message: Peer.Message) { pair(message).received.increment() }

  /// So many messages were not sent.
  func dropped(_ why: Drop, count: Int = 1) {
    guard count > 0, let index = Drop.allCases.firstIndex(of: why) else { return }
    drops[index].increment(by: count)
  }

  /// A peer sent what could not be read.
  func unreadable() { count("node_unreadable_messages") }

  /// A peer broke rules.
  func offence() { count("node_offences") }

  /// A peer is shut out for a while.
  func shutOut() { count("node_shut_out_peers") }

  /// mDNS told of a peer.
  func foundLocally() { count("node_local_peers") }

  /// The disk failed so often.
  func storeErrors(_ number: Int) { count("store_errors", number) }

  /// The session's peer announces something.
  func noted(_ event: CollectiveEvent) {
    switch event {
    case .cycleBegan(let cycle):
      count("session_cycles")
      set("session_cycle", Double(cycle))
    case .trained(let loss): set("session_training_loss", loss)
    case .averaged(_, let isAdopted): (isAdopted ? adopted : notAdopted).increment()
    case .fetchFailed: count("session_failed_fetches")
    case .rejected: count("session_rejected_models")
    case .published: count("session_published_models")
    case .ended: set("session_ended", 1)
    case .joined, .offended: break
    }
  }

  // MARK: What is looked at

  /// Looks at a node. `late` is how much later than asked for that is.
  func look(at core: NodeCore, late: Instant.Span) {
    lag.recordNanoseconds(max(0, late.nanoseconds))
    let links = core.neighbours.values.flatMap(\.links)  // house:allow(order) sums of whole numbers
    set("node_peers", Double(core.neighbours.count))
    set("node_partners", Double(core.neighbours.values.count { $0.languages.contains(.collective) }))
    set("node_links", Double(links.count))
    // Streams of links on other loops are not looked at: they are theirs.
    set("node_streams", Double(links.reduce(0) { $0 + ($1.loop.inEventLoop ? $1.streamCount : 0) }))
    set("node_known_peers", Double(core.book.count))
    set("node_unreachable_peers", Double(core.dials.count))
    for (gauge, table) in zip(tables, core.tables) { gauge.record(table.machine.tableCount) }
    let exchange = core.peer.exchange
    set("blocks_held", Double(exchange.store.count))
    set("blocks_held_bytes", Double(exchange.store.byteCount))
    let now = exchange.statistics
    advance("blocks_served", to: now.blocksSent)
    advance("blocks_served_bytes", to: now.bytesSent)
    advance("blocks_fetched", to: now.blocksReceived)
    advance("blocks_fetched_bytes", to: now.bytesReceived)
    advance("blocks_unwanted", to: now.unwanted)
    guard let newest = core.peer.collective.newest else { return }
    set("session_model_age_seconds", max(0, (core.sessionNow - newest.made).seconds))
    set("session_validation_accuracy", Double(newest.accuracy))
    set("session_validation_loss", Double(newest.loss))
  }

  private func pair(_ message: Peer.Message) -> Pair {
    switch message {
    case .collective: collective
    case .blocks: blocks
    case .pubsub: pubsub
    }
  }

  private func advance(_ name: String, to total: Int) {
    count(name, total - exchanged[name, default: 0])
    exchanged[name] = total
  }

  private func count(_ name: String, _ amount: Int = 1) { if amount > 0 { counters[name]?.increment(by: amount) } }
  private func set(_ name: String, _ value: Double) { gauges[name]?.record(value) }
}
