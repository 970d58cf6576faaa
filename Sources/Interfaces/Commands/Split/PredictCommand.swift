import NIOCore
import MurmurCompute
import ArgumentParser
import Foundation
import MurmurHost
import MurmurIdentity
import MurmurMachines
import MurmurReports
import MurmurSplit
import MurmurWire
import NIOPosix

/// `murmur predict`: asks a device of a split network what all that live say of some rows.
struct PredictCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict", abstract: "Ask a running device of a split network what all that live say of some rows.",
    usage: "murmur predict --device ADDRESS … --rows A-B [--json]",
    discussion: """
      Any device can be asked at any time, while it trains too: the question is passed on, every device that lives answers by itself, \
      and the device that was asked merges the answers. Of several addresses the next is asked where one does not answer. Rows are those \
      of the devices' tables, numbered from 0, for example 60000-60099; of a live stream row is the moment modulo the window.
      """)

  @Option(help: "A device's address, as it prints it at its start.") var device: [String] = []
  @Option(help: "A row, or rows from A to B.") var rows: String
  @Flag(help: "Answer as JSON.") var json = false

  func run() async throws {
    try await Attempt.run {
      let console = Console()
      let asked = try wanted()
      guard !device.isEmpty else {
        throw Failure("which device? Give --device ADDRESS, as `murmur split device` prints it at its start")
      }
      let addresses = try device.map { text in
        do { return try Multiaddr(parsing: text) } catch {
          throw Failure("--device \(text): \(error); an address is like /ip4/127.0.0.1/tcp/4001")
        }
      }
      let asker = try SplitAsker()
      var replies: [SplitReply] = []
      let began = ContinuousClock.now
      for piece in SplitAsker.pieces(asked) { replies.append(try await asker.ask(addresses, piece)) }
      let time = ContinuousClock.now - began
      try await asker.close()
      show(replies, asked, time, console)
    }
  }

  /// The rows that are named.
  private func wanted() throws -> [Int32] {
    let parts = rows.split(separator: "-", omittingEmptySubsequences: false).map { Int32($0) }
    guard (1...2).contains(parts.count), let first = parts[0], let last = parts[parts.count - 1], first >= 0, last >= first,
      last - first < 1_000_000
    else { throw Failure("--rows \(rows): give a row such as 7, or rows such as 60000-60099, at most a million") }
    return Array(first...last)
  }

  private func show(_ replies: [SplitReply], _ asked: [Int32], _ time: Duration, _ console: Console) {
    var (lines, right, known, place) = ([JSON](), 0, 0, 0)
    var table = Table(columns: [.number("row"), .number("class"), .number("probability"), .number("is")])
    for reply in replies {
      let score = SplitAnswer.score(reply)
      (right, known) = (right + score.right, known + score.known)
      for row in 0..<reply.answers.rows {
        let best = SplitAnswer.best(of: reply, row: row)
        let label = row < reply.classes.count ? reply.classes[row] : nil
        lines.append(
          .object([
            .init("row", .integer(Int(asked[place]))), .init("class", .integer(best.index)),
            .init("probability", .number(best.probability)), .init("is", .optional(label)),
          ]))
        table.rows.append([
          "\(asked[place])", "\(best.index)", String(format: "%.1f %%", best.probability * 100), label.map { "\($0)" } ?? "?",
        ])
        place += 1
      }
    }
    let devices = replies.map(\.devices).min() ?? 0
    if json {
      return console.show(
        JSON.object([
          .init("devices", .integer(devices)), .init("step", .integer(replies.last?.step ?? 0)),
          .init("accuracy", .optional(known > 0 ? Double(right) / Double(known) * 100 : nil)),
          .init("seconds", .number(time.inSeconds)), .init("rows", .array(lines)),
        ]).compact())
    }
    if table.rows.count <= 40 { console.show(String(table.text(width: console.width, colour: console.isColoured).dropLast())) }
    if known > 0 {
      console.show(String(format: "%d of %d rows right: %.2f %%", right, known, Double(right) / Double(known) * 100))
    }
    console.show(
      "answers of \(devices) devices at step \(replies.last?.step ?? 0), \(asked.count) rows in \(String(format: "%.3f", time.inSeconds)) s"
    )
  }
}

extension Duration {
  /// The length in seconds.
  var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}

/// Somebody who asks devices, with an identity for the occasion.
final class SplitAsker: Sendable {
  private let client: SplitClient
  private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
  /// Rows of one question.
  static let mostRows = 500

  init() throws {
    var generator = SystemRandomNumberGenerator()
    let keys = KeyPair(seed: Digest(generator.next(), generator.next(), generator.next(), generator.next()))
    client = SplitClient(keys: keys, group: group)
  }

  /// Rows in questions of a fair size.
  static func pieces(_ rows: [Int32]) -> [[Int32]] {
    stride(from: 0, to: rows.count, by: mostRows).map { Array(rows[$0..<min($0 + mostRows, rows.count)]) }
  }

  /// The answer of the first of these devices that gives one.
  func ask(_ addresses: [Multiaddr], _ rows: [Int32], within: Instant.Span = .seconds(15)) async throws -> SplitReply {
    var problems: [String] = []
    for address in addresses {
      do { return try await client.ask(address, rows, within: within) } catch { problems.append("\(error)") }
    }
    throw Failure(problems.joined(separator: "\n"))
  }

  func close() async throws {
    try await client.close()
    try await group.shutdownGracefully()
  }
}
