internal import Foundation
internal import GRDB

/// A value under a key, with the version of its format; what it means is its owner's business.
public struct SavedState: Hashable, Sendable {
  /// The part of the program it belongs to, e.g. "session" or "kad/values".
  public var area: String
  /// Which one of that part's.
  public var key: [UInt8]
  /// The version of the value's format.
  public var version: Int
  /// The value.
  public var value: [UInt8]

  /// The most bytes of a value: 16 MiB. What is larger is stored as blocks, and its root here.
  public static let mostBytes = 16 << 20
  /// The most bytes of a key.
  public static let mostKeyBytes = 1_024

  /// A value under a key.
  public init(area: String, key: [UInt8], version: Int = 1, value: [UInt8]) {
    self.area = area
    self.key = key
    self.version = version
    self.value = value
  }

  /// A value under a key that is a word.
  public init(area: String, key: String, version: Int = 1, value: [UInt8]) {
    self.init(area: area, key: Array(key.utf8), version: version, value: value)
  }
}

/// Values by area and key: sessions, routing tables, records of other peers.
extension Store {
  /// Saves all of `states`, or none; safe when it returns. An area keeps at most ``StoreOptions/entriesPerArea``; those saved
  /// longest ago go first.
  public func save(_ states: [SavedState]) throws(StoreError) {
    for state in states {
      guard state.value.count <= SavedState.mostBytes, state.key.count <= SavedState.mostKeyBytes else {
        throw StoreError(path, .committing, .tooLarge(bytes: state.value.count, limit: SavedState.mostBytes))
      }
    }
    try commit { database in
      for state in states {
        try database.cachedStatement(
          sql: """
            INSERT OR REPLACE INTO states (area, key, version, value, saved)
            VALUES (?1, ?2, ?3, ?4, (SELECT COALESCE(MAX(saved), 0) + 1 FROM states WHERE area = ?1))
            """
        ).execute(arguments: [state.area, Data(state.key), state.version, Data(state.value)])
      }
      for area in Set(states.map(\.area)).sorted() {
        try database.execute(
          sql: """
            DELETE FROM states WHERE area = ?1 AND key IN
            (SELECT key FROM states WHERE area = ?1 ORDER BY saved DESC LIMIT -1 OFFSET ?2)
            """, arguments: [area, options.entriesPerArea])
      }
    }
  }

  /// The state under that key; `nil` if there is none.
  public func state(_ area: String, _ key: [UInt8]) throws(StoreError) -> SavedState? {
    try fetch { database in
      try Row.fetchOne(
        database, sql: "SELECT version, value FROM states WHERE area = ? AND key = ?", arguments: [area, Data(key)]
      ).map { row in
        let value: Data = row[1]
        return SavedState(area: area, key: key, version: row[0], value: [UInt8](value))
      }
    }
  }

  /// The state under a key that is a word; `nil` if there is none.
  public func state(_ area: String, _ key: String) throws(StoreError) -> SavedState? { try state(area, Array(key.utf8)) }

  /// All states of an area, by key; at most `limit`.
  public func states(_ area: String, limit: Int = .max) throws(StoreError) -> [SavedState] {
    try fetch { database in
      try Row.fetchAll(
        database, sql: "SELECT key, version, value FROM states WHERE area = ? ORDER BY key LIMIT ?",
        arguments: [area, Int64(limit)]
      ).map { row in
        let (key, value): (Data, Data) = (row[0], row[2])
        return SavedState(area: area, key: [UInt8](key), version: row[1], value: [UInt8](value))
      }
    }
  }

  /// In which place the state of an area that was saved last stands, see ``visit(_:_:isBackwards:_:)``; 0 if there is none.
  public func lastSaved(_ area: String) throws(StoreError) -> Int64 {
    try fetch { try Int64.fetchOne($0, sql: "SELECT MAX(saved) FROM states WHERE area = ?", arguments: [area]) ?? 0 }
  }

  /// Hands on the states of an area one by one, in the order in which they were saved or backwards, each with its place in that order, of those
  /// with places in `range`; until `body` says that it wants no more. What is saved meanwhile is not seen.
  public func visit(
    _ area: String, _ range: ClosedRange<Int64>, isBackwards: Bool = false, _ body: (Int64, SavedState) -> Bool
  ) throws(StoreError) {
    try fetch { database in
      let order = isBackwards ? "DESC" : "ASC"
      let found = try Row.fetchCursor(
        database,
        sql: "SELECT saved, key, version, value FROM states WHERE area = ? AND saved BETWEEN ? AND ? ORDER BY saved \(order)",
        arguments: [area, range.lowerBound, range.upperBound])
      while let row = try found.next() {
        let (key, value): (Data, Data) = (row[1], row[3])
        let state = SavedState(area: area, key: [UInt8](key), version: row[2], value: [UInt8](value))
        guard body(row[0], state) else { return }
      }
    }
  }

  /// Removes the state under that key.
  public func removeState(_ area: String, _ key: [UInt8]) throws(StoreError) {
    try commit { try $0.execute(sql: "DELETE FROM states WHERE area = ? AND key = ?", arguments: [area, Data(key)]) }
  }
}
