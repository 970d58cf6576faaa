import MurmurCompute
import Foundation
import MurmurHost
import MurmurReports
import MurmurSplit
import Synchronization

/// Lines of a live stream on standard input, as they come, into a device's window.
final class SplitPipe: Sendable {
  private struct State {
    var window: SplitWindow
    var rest: [UInt8] = []
    var line = 0
    var troubles = 0
    var isOver = false
  }

  /// The longest line.
  private static let mostBytes = 1 << 20
  private let state: Mutex<State>
  private let node: SplitNode
  private let teller: SplitTeller
  private let predicts: Bool

  init(_ start: RunningDevice.Start, _ node: SplitNode, _ teller: SplitTeller) {
    let session = start.session
    state = Mutex(
      State(window: SplitWindow(size: session.rows, width: session.devices[start.number].features, classes: session.classes)))
    self.node = node
    self.teller = teller
    predicts = start.predicts
  }

  /// Whether the stream has ended and everything of it was used.
  var isOver: Bool { state.withLock { $0.isOver } }

  /// Reads on a thread of its own: standard input waits for whoever writes, and whoever writes for the device.
  func begin() {
    let thread = Thread { [self] in
      while true {
        let data = FileHandle.standardInput.availableData
        // The last line may lack its end.
        let newest = take(data.isEmpty ? [UInt8(ascii: "\n")] : [UInt8](data))
        let done = DispatchSemaphore(value: 0)
        _Concurrency.Task {
          await use(newest)
          done.signal()
        }
        done.wait()
        if data.isEmpty { break }
      }
      state.withLock { $0.isOver = true }
    }
    thread.start()
  }

  /// Takes the lines in some bytes; gives the newest moment among them.
  private func take(_ bytes: [UInt8]) -> Int? {
    let (newest, problems): (Int?, [String]) = state.withLock { state in
      var (newest, problems) = (Int?.none, [String]())
      state.rest += bytes
      while let end = state.rest.firstIndex(of: UInt8(ascii: "\n")) {
        let line = String(decoding: state.rest[..<end], as: UTF8.self)
        state.rest.removeSubrange(...end)
        state.line += 1
        if line.allSatisfy(\.isWhitespace) { continue }
        do throws(SplitWindow.Problem) {
          let moment = try state.window.take(line)
          if moment == state.window.newest { newest = moment }
        } catch {
          state.troubles += 1
          if state.troubles <= 10 { problems.append("standard input, line \(state.line): \(error); the line is left out") }
        }
      }
      if state.rest.count > SplitPipe.mostBytes {
        problems.append("standard input, line \(state.line + 1): it is longer than \(SplitPipe.mostBytes) bytes; it is left out")
        state.rest = []
      }
      return (newest, problems)
    }
    for problem in problems { teller.tell("problem", [.init("what", .string(problem))], words: problem) }
    return newest
  }

  private func use(_ newest: Int?) async {
    let (rows, row) = state.withLock { ($0.window.rows, newest.map($0.window.row)) }
    try? await node.replace(rows)
    guard predicts, let newest, let row else { return }
    guard let reply = try? await node.ask([Int32(row)]) else { return }
    let best = SplitAnswer.best(of: reply, row: 0)
    teller.tell(
      "prediction",
      [
        .init("moment", .integer(newest)), .init("class", .integer(best.index)), .init("probability", .number(best.probability)),
        .init("devices", .integer(reply.devices)),
      ],
      words:
        "moment \(newest): class \(best.index), \(String(format: "%.1f", best.probability * 100)) %, of \(reply.devices) devices")
  }
}

/// What an answer says of a row.
enum SplitAnswer {
  /// The most probable class. Merged logarithms of probabilities are of a product, which is made to sum to one.
  static func best(of reply: SplitReply, row: Int) -> (index: Int, probability: Double) {
    let columns = reply.answers.columns
    let values = (0..<columns).map { Double(reply.answers[row, $0]) }
    guard let most = values.max(), let index = values.firstIndex(of: most) else { return (0, 0) }
    return (index, 1 / values.reduce(0) { $0 + exp($1 - most) })
  }

  /// How many rows of an answer name the class that the device knows, and how many it knows.
  static func score(_ reply: SplitReply) -> (right: Int, known: Int) {
    var (right, known) = (0, 0)
    for (row, label) in reply.classes.enumerated() {
      guard let label else { continue }
      known += 1
      right += best(of: reply, row: row).index == label ? 1 : 0
    }
    return (right, known)
  }
}
