internal import GRDB

/// The tables of the store's database, version by version. A version is never changed once it was released; a later one is added.
enum Schema {
  /// The version this program writes.
  static let version = 2

  /// Brings the database to ``version``; throws if it is newer.
  static func prepare(_ pool: DatabasePool, _ path: String) throws(StoreError) {
    do {
      let found = try pool.read { try Int.fetchOne($0, sql: "PRAGMA user_version") ?? 0 }
      guard found <= version else { throw StoreError(path, .migrating, .newer(version: found, known: version)) }
      guard found < version else { return }
      for step in found..<version {
        try pool.write { database in
          try database.execute(sql: steps[step])
          try database.execute(sql: "PRAGMA user_version = \(step + 1)")
        }
      }
    } catch {
      throw StoreError(error, path, .migrating)
    }
  }

  /// What leads from version n to version n + 1.
  private static let steps = [
    """
    CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE blocks (
      key BLOB PRIMARY KEY, size INTEGER NOT NULL, is_node INTEGER NOT NULL, is_synced INTEGER NOT NULL, used INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX blocks_by_use ON blocks (used);
    CREATE TABLE pins (name TEXT NOT NULL, root BLOB NOT NULL, is_recursive INTEGER NOT NULL,
      PRIMARY KEY (name, root, is_recursive)) WITHOUT ROWID;
    CREATE TABLE ledgers (peer BLOB PRIMARY KEY, sent INTEGER NOT NULL, received INTEGER NOT NULL, updated INTEGER NOT NULL)
      WITHOUT ROWID;
    CREATE INDEX ledgers_by_update ON ledgers (updated);
    CREATE TABLE peers (peer BLOB PRIMARY KEY, addresses BLOB NOT NULL, record BLOB, seen INTEGER NOT NULL,
      successes INTEGER NOT NULL, failures INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX peers_by_seen ON peers (seen);
    CREATE TABLE states (area TEXT NOT NULL, key BLOB NOT NULL, version INTEGER NOT NULL, value BLOB NOT NULL,
      saved INTEGER NOT NULL, PRIMARY KEY (area, key));
    CREATE INDEX states_by_save ON states (area, saved);
    """,
    """
    CREATE TABLE transactions (number INTEGER PRIMARY KEY AUTOINCREMENT, ledger TEXT NOT NULL, digest BLOB NOT NULL, bytes BLOB NOT NULL);
    CREATE UNIQUE INDEX transactions_by_digest ON transactions (ledger, digest);
    """,
  ]
}

extension StoreError {
  /// What the database says, in the store's terms.
  init(_ error: any Error, _ path: String, _ phase: Phase) {
    if let own = error as? StoreError {
      self = own
      return
    }
    guard let error = error as? DatabaseError else {
      self.init(path, phase, .other("\(error)"))
      return
    }
    switch error.resultCode {
    case .SQLITE_FULL: self.init(path, phase, .noSpace)
    case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH: self.init(path, phase, .notPermitted)
    case .SQLITE_CORRUPT, .SQLITE_NOTADB:
      self.init(
        path, phase,
        .damaged(
          "the database is damaged (\(error.message ?? "no details")); move it away: blocks are found again by their names"))
    default: self.init(path, phase, .other(error.message ?? "\(error)"))
    }
  }
}
