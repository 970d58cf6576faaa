import Foundation
import MurmurReports
import Synchronization

/// What a feeder tells whoever started it: lines of JSON for a program, sentences and a line that is rewritten for a person.
final class FeedTeller: Sendable {
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

  func problem(_ words: String) { tell("problem", [.init("what", .string(words))], words: words) }

  /// How far it is.
  func progress(_ seen: RunningFeed.Seen, id: String) {
    if isJSON { return tell("progress", seen.fields, words: nil) }
    guard console.isTerminal else { return }
    let share = seen.sealed == 0 ? 1 : Double(seen.sealed - min(seen.unconfirmed, seen.sealed)) / Double(seen.sealed)
    console.progress(id, share, seen.words)
  }

  func clear() { console.clear() }
}
