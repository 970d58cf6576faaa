import Foundation
import MurmurStorage
import MurmurWire
import Testing

/// A ledger's rows.
@Suite struct TransactionTests {
  private static func change(_ number: Int, bytes: Int = 400) -> (CID, Store.LedgerChange) {
    let content = randomBytes(bytes, seed: UInt64(number))
    let id = CID(codec: .dagCBOR, hashing: content)
    return (id, .keep(id, content))
  }

  @Test func `rows come back in the order in which they were kept, without those pruned, with the last snapshot`() throws {
    let folder = try Folder("rows")
    let made = (0..<50).map { TransactionTests.change($0) }
    do {
      let store = try Store(at: folder.path)
      #expect(try store.rows(ofLedger: "a") == Store.LedgerRows())
      try store.change(ledger: "a", made.map(\.1))
      try store.change(ledger: "a", [made[3].1, .prune(made[0..<20].map(\.0), snapshot: [1, 2])])
      try store.change(ledger: "b", [made[0].1])
      #expect(throws: StoreError.self) {
        try store.change(ledger: "a", [.keep(made[0].0, [UInt8](repeating: 0, count: Store.mostTransactionBytes + 1))])
      }
      // Killed: neither closed nor flushed.
      let copy = folder.path + "-copy"
      try? FileManager.default.removeItem(atPath: copy)
      try FileManager.default.copyItem(atPath: folder.path, toPath: copy)
      defer { try? FileManager.default.removeItem(atPath: copy) }
      let rows = try Store(at: copy).rows(ofLedger: "a")
      #expect(rows.transactions.map { CID(codec: .dagCBOR, hashing: $0) } == made[20...].map(\.0) && rows.snapshot == [1, 2])
      try store.remove(ledger: "b")
      #expect(try store.rows(ofLedger: "b") == Store.LedgerRows())
    }
  }

  @Test func `states are visited in the order in which they were saved, from any place, forwards and backwards`() throws {
    let folder = try Folder("visits")
    let store = try Store(at: folder.path)
    #expect(try store.lastSaved("a") == 0)
    // Keys that sort otherwise, and one that is saved anew.
    let keys: [UInt8] = [9, 3, 7, 1, 3, 8]
    for key in keys {
      try store.save([SavedState(area: "a", key: [key], value: [key]), SavedState(area: "b", key: [key], value: [])])
    }
    let last = try store.lastSaved("a")
    func visited(_ range: ClosedRange<Int64>, isBackwards: Bool = false, most: Int = .max) throws -> [UInt8] {
      var seen: [UInt8] = []
      try store.visit("a", range, isBackwards: isBackwards) { _, state in
        seen += state.key
        return seen.count < most
      }
      return seen
    }
    #expect(try visited(0...last) == [9, 7, 1, 3, 8])
    #expect(try visited(0...last, isBackwards: true, most: 2) == [8, 3])
    try store.save([SavedState(area: "a", key: [2], value: [])])
    #expect(try visited(last...last) == [8] && visited(0...last).count == 5, "what came since is left out")
    try store.close()
  }

  /// A hundredth of a year of one reading a second in packets of fifty, of which the last tenth is kept: the database stays as large as what
  /// it holds at most.
  @Test func `the store does not grow with what was pruned`() throws {
    let folder = try Folder("bounded")
    let store = try Store(at: folder.path)
    var sizes: [Int] = []
    for batch in 0..<63 {
      let made = (batch * 100..<batch * 100 + 100).map { TransactionTests.change($0, bytes: 2_000) }
      var changes = made.map(\.1)
      if batch >= 6 {
        let gone = ((batch - 6) * 100..<(batch - 5) * 100).map { TransactionTests.change($0, bytes: 2_000).0 }
        changes.append(.prune(gone, snapshot: []))
      }
      try store.change(ledger: "a", changes)
      sizes.append(Int(try FileManager.default.attributesOfItem(atPath: folder.path + "/index.sqlite")[.size] as? UInt64 ?? 0))
    }
    #expect(try store.rows(ofLedger: "a").transactions.count == 600)
    print("database after a tenth: \(sizes[20]), at the end: \(sizes[62])")
    #expect(sizes[62] < sizes[20] * 3 / 2 + 4_000_000)
    try store.close()
  }
}
