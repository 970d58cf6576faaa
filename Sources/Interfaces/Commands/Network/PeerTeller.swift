import Foundation
import MurmurReports
import Synchronization

/// What a running peer tells whoever started it.
enum PeerNews: Sendable {
  case listening([String])
  /// Where metrics are served.
  case metrics(String)
  /// A cycle ended with a model: its number, the test accuracy in percent if it was measured, connected peers, averages so far.
  case cycle(Int, accuracy: Double?, neighbours: Int, averages: Int, at: Double)
  /// How it is, now and then: connections, streams, what waits, and resident bytes of memory.
  case census(links: Int, streams: Int, pending: Int, memory: Int?)
  case over(accuracy: Double?, model: String?, cycles: Int, averages: Int)
  case trouble(String)
  /// Rows of a sensor were verified, so many seconds after they were sealed.
  case rows(sensor: String, message: Int, first: Int, count: Int, lag: Double)
  /// Something about a stream or the ledger.
  case noticed(String)
}

/// Somebody who listens.
protocol PeerTeller: Sendable {
  func tell(_ news: PeerNews)
}

/// News for a person.
struct ConsoleTeller: PeerTeller {
  private let console: Console
  init(_ console: Console) { self.console = console }

  func tell(_ news: PeerNews) {
    switch news {
    case .listening(let addresses): for address in addresses { console.show("listening at \(address)") }
    case .metrics(let address): console.show("metrics at \(address)")
    case .cycle(let number, let accuracy, let neighbours, _, _):
      let words = accuracy.map { ", \(($0 * 10).rounded() / 10) % accurate on test rows" } ?? ""
      console.say("cycle \(number)\(words), \(neighbours) \(neighbours == 1 ? "peer" : "peers") connected")
    case .census, .rows: break
    case .noticed(let words): console.say(words)
    case .over(let accuracy, let model, let cycles, let averages):
      console.show("the session is over: \(cycles) cycles, \(averages) averages")
      if let accuracy { console.show("accuracy on test rows: \((accuracy * 100).rounded() / 100) %") }
      if let model { console.show("model: \(model)") }
    case .trouble(let words): console.say(words)
    }
  }
}

/// News for a program, a line each.
struct JSONTeller: PeerTeller {
  private static let lock = Mutex(())

  func tell(_ news: PeerNews) {
    var fields: [JSON.Member]
    switch news {
    case .listening(let addresses):
      fields = [.init("news", .string("listening")), .init("addresses", .array(addresses.map(JSON.string)))]
    case .metrics(let address): fields = [.init("news", .string("metrics")), .init("address", .string(address))]
    case .cycle(let number, let accuracy, let neighbours, let averages, let at):
      fields = [
        .init("news", .string("cycle")), .init("cycle", .integer(number)), .init("accuracy", .optional(accuracy)),
        .init("neighbours", .integer(neighbours)), .init("averages", .integer(averages)), .init("at", .number(at)),
      ]
    case .census(let links, let streams, let pending, let memory):
      fields = [
        .init("news", .string("census")), .init("links", .integer(links)), .init("streams", .integer(streams)),
        .init("pending", .integer(pending)), .init("memory", .optional(memory.map { Double($0) })),
      ]
    case .over(let accuracy, let model, let cycles, let averages):
      fields = [
        .init("news", .string("over")), .init("accuracy", .optional(accuracy)), .init("model", .optional(model)),
        .init("cycles", .integer(cycles)), .init("averages", .integer(averages)),
      ]
    case .rows(let sensor, let message, let first, let count, let lag):
      fields = [
        .init("news", .string("rows")), .init("sensor", .string(sensor)), .init("message", .integer(message)),
        .init("first", .integer(first)), .init("count", .integer(count)), .init("lag", .number(lag)),
      ]
    case .noticed(let words): fields = [.init("news", .string("noticed")), .init("what", .string(words))]
    case .trouble(let words): fields = [.init("news", .string("trouble")), .init("what", .string(words))]
    }
    let line = JSON.object(fields).compact() + "\n"
    JSONTeller.lock.withLock { _ in try? FileHandle.standardOutput.write(contentsOf: Data(line.utf8)) }
  }
}
