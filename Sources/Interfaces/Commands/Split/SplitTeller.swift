import MurmurMachines
import MurmurSplit
import Foundation
import MurmurHost
import MurmurReports
import Synchronization

/// What a running device tells whoever started it: lines of JSON for a program, sentences for a person.
final class SplitTeller: Sendable {
  private let console: Console
  private let isJSON: Bool
  private let lock = Mutex(())

  init(_ console: Console, isJSON: Bool) {
    self.console = console
    self.isJSON = isJSON
  }

  func tell(_ news: String, _ fields: [JSON.Member], words: @autoclosure () -> String?) {
    if isJSON {
      let line = JSON.object([.init("news", .string(news))] + fields).compact() + "\n"
      lock.withLock { _ in try? FileHandle.standardOutput.write(contentsOf: Data(line.utf8)) }
    } else if let words = words() {
      console.say(words)
    }
  }

  /// How a device is.
  func tell(_ seen: SplitNode.Snapshot, loss: Double?, pause: Double, at: Double, news: String = "step") {
    let figures = seen.statistics
    let lossWords = loss.flatMap { $0.isFinite ? $0 : nil }.map { String(format: ", loss %.3f", $0) } ?? ""
    tell(
      news,
      [
        .init("step", .integer(seen.step)), .init("loss", .optional(loss)), .init("pause", .number(pause)),
        .init("longestPause", .number(seen.longestPause.seconds)), .init("neighbours", .integer(seen.present.count)),
        .init("steps", .integer(figures.steps)), .init("skipped", .integer(figures.skipped)),
        .init("messages", .integer(figures.messages)), .init("received", .integer(figures.received)),
        .init("missed", .integer(figures.missed)), .init("late", .integer(figures.late)), .init("polls", .integer(figures.polls)),
        .init("bytesSent", .integer(seen.bytesSent)), .init("bytesReceived", .integer(seen.bytesReceived)),
        .init("dropped", .integer(seen.dropped)), .init("unreadable", .integer(seen.unreadable)), .init("at", .number(at)),
      ],
      words: news == "step"
        ? nil
        : "step \(seen.step)\(lossWords), \(seen.present.count) neighbours, \(figures.missed) messages missed, \(figures.late) late, longest pause \(String(format: "%.3f", seen.longestPause.seconds)) s"
    )
  }
}
