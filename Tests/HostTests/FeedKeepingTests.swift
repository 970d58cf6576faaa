import Foundation
import MurmurFeeds
import MurmurHost
import MurmurIdentity
import MurmurLedger
import MurmurMachines
import MurmurPeer
import MurmurStorage
import MurmurWire
import Testing

/// What a station says waits until what it builds on is on the disk.
@Suite struct FeedKeepingTests {
  /// What is looked at in the middle of an expectation.
  final class Shelf {
    var keeping = FeedKeeping()

    var isSafe: Bool { keeping.isSafe }
    var failures: Int { keeping.failures }

    func keep(_ change: Store.LedgerChange) { keeping.keep(change) }
    func keep(_ state: SavedState) { keeping.keep(state) }
    func delays(_ effect: Station.Effect) -> Bool { keeping.delays(effect) }
    func next(isRetry: Bool = false) -> FeedKeeping.Batch? { keeping.next(isRetry: isRetry) }
    func saved() -> [Station.Effect] { keeping.saved() }
    func failed() -> Instant.Span { keeping.failed() }
  }

  static let friend = KeyPair(seed: .sha256(of: Array("friend".utf8))).peerID

  static func change(_ number: Int) -> (id: CID, change: Store.LedgerChange) {
    let bytes = Array("transaction \(number)".utf8)
    let id = CID(codec: .dagCBOR, hashing: bytes)
    return (id, .keep(id, bytes))
  }

  static func state(_ number: Int, of area: String = "feed/rows/s") -> SavedState {
    SavedState(area: area, key: "\(number)", value: [UInt8(number & 255)])
  }

  /// The numbers in the messages that went out.
  static func numbers(_ effects: [Station.Effect]) -> [UInt8] {
    effects.compactMap { if case .publish(let bytes) = $0 { bytes.first } else { nil } }
  }

  @Test func `what is said in a later step waits too, and goes in order`() throws {
    let keeping = Shelf()
    #expect(!keeping.delays(.publish([0])), "with nothing to keep nothing waits")
    keeping.keep(Self.change(1).change)
    #expect(keeping.delays(.publish([1])))
    let first = try #require(keeping.next())
    #expect(first.changes.count == 1 && keeping.next() == nil)
    // The next step keeps nothing; what it answers may still hold what is not safe.
    #expect(keeping.delays(.send(Self.friend, .frontier([]))))
    #expect(keeping.delays(.answer(Self.friend, .held([]))))
    keeping.keep(Self.change(2).change)
    #expect(keeping.delays(.publish([2])))
    let due = keeping.saved()
    #expect(due.count == 3 && Self.numbers(due) == [1], "what the second transaction is in waits for the second batch")
    #expect(!keeping.isSafe)
    _ = try #require(keeping.next())
    #expect(Self.numbers(keeping.saved()) == [2] && keeping.isSafe && !keeping.delays(.publish([3])))
  }

  @Test func `a batch that the disk refuses is kept, with what came since, and nothing goes out before it is there`() throws {
    let keeping = Shelf()
    keeping.keep(Self.change(1).change)
    keeping.keep(Self.state(1))
    #expect(keeping.delays(.publish([1])))
    var rest = Instant.Span.zero
    for attempt in 0..<12 {
      let batch = try #require(keeping.next(isRetry: attempt > 0))
      #expect(batch.changes == (1...(attempt + 1)).map { Self.change($0).change } && batch.states.count == attempt + 1)
      let next = keeping.failed()
      #expect(next >= rest && next <= FeedKeeping.longestRest)
      rest = next
      #expect(keeping.next() == nil, "the disk is left alone for a while")
      keeping.keep(Self.change(attempt + 2).change)
      keeping.keep(Self.state(attempt + 2))
      #expect(keeping.delays(.publish([UInt8(attempt + 2)])))
      let challenge = Challenge(body: .sha256(of: [1]), difficulty: 1)
      #expect(keeping.delays(.work(challenge)), "and no further transaction is made")
      #expect(!keeping.delays(.prune([], LedgerSnapshot())))
    }
    #expect(rest == FeedKeeping.longestRest)
    _ = try #require(keeping.next(isRetry: true))
    let due = keeping.saved()
    #expect(Self.numbers(due) == Array(1...13) && due.count == 25 && keeping.isSafe && keeping.failures == 0)
  }

  @Test func `a disk that fails for long costs no more memory than what is held`() throws {
    let keeping = Shelf()
    for number in 0..<2_000 {
      keeping.keep(Self.change(number).change)
      keeping.keep(Self.state(0, of: "feed/streams/s"))
      keeping.keep(Self.state(number))
      // Of the ledger ten are held at a time; the first was on the disk before.
      if number >= 10 { keeping.keep(.prune([Self.change(number - 10).id], snapshot: [UInt8(number & 255)])) }
      if number == 0 { keeping.keep(.prune([Self.change(-1).id], snapshot: [])) }
      guard let batch = keeping.next(isRetry: number % 50 == 0) else { continue }
      #expect(batch.changes.count <= 10 + 50 * 2 + 2)
      _ = keeping.failed()
    }
    let batch = try #require(keeping.next(isRetry: true))
    let folder = FileManager.default.temporaryDirectory.path + "/murmur-keeping-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let store = try Store(at: folder)
    try store.change(ledger: "s", [Self.change(-1).change])
    for _ in 0..<2 { try batch.save(store, session: "s") }
    let rows = try store.rows(ofLedger: "s")
    #expect(rows.transactions == (1_990..<2_000).map { Array("transaction \($0)".utf8) } && rows.snapshot == [UInt8(1_999 & 255)])
    #expect(try store.states("feed/streams/s").count == 1 && store.states("feed/rows/s").count == 2_000)
    for _ in 0..<FeedKeeping.mostDelayed { _ = keeping.delays(.publish([1])) }
    #expect(keeping.delays(.publish([2])))
    #expect(keeping.saved().count == FeedKeeping.mostDelayed, "more is asked for again")
    try store.close()
  }
}
