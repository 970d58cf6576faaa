import MurmurReports
import MurmurStreams

/// Looks now and then whether the file with a side key holds another one, so that somebody can be shut out of a stream that goes on.
struct KeyWatch: Sendable {
  private let path: String
  private var key: SideKey
  private var due: ContinuousClock.Instant = .now + .seconds(1)
  /// How often in a row the file held none. Whoever writes it may not be ready the first time.
  private var failures = 0

  init(_ path: String, _ key: SideKey) { (self.path, self.key) = (path, key) }

  /// The key that is there instead of the one before.
  mutating func look(_ teller: FeedTeller) -> SideKey? {
    guard due <= .now else { return nil }
    due = .now + .seconds(1)
    do {
      let now = try FeedStore.sideKey(path)
      failures = 0
      guard now != key else { return nil }
      key = now
      teller.tell("key", [.init("file", .string(path))], words: "the stream goes on under the new side key in \(path)")
      return now
    } catch {
      failures += 1
      if failures == 2 { teller.problem("\(error); the stream goes on under the key before") }
      return nil
    }
  }
}
