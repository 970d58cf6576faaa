public import MurmurMachines
public import MurmurWire

extension Ledger {
  /// How a ledger behaves. What all peers of a session must agree on comes first.
  public struct Configuration: Sendable {
    // What all agree on.

    /// What the first transactions approve: a name that the session gives.
    public var genesis: Digest
    /// How many zero bits everybody's work has at least; 10 are about a thousand hashes, less than a millisecond.
    public var baseDifficulty = 10
    /// How many transactions in ``allowanceTime`` an issuer may make at base difficulty; each doubling of its rate costs one bit more.
    public var allowance = 16
    /// See ``allowance``.
    public var allowanceTime = Instant.Span.seconds(1)
    /// How far ahead of the own clock a transaction's time may be.
    public var aheadTime = Instant.Span.minutes(2)

    // What each peer may choose.

    /// Milliseconds since 1970 at the world's origin.
    public var epoch: Int64 = 0
    /// How many distinct issuers besides its own must have approved a transaction for it to be confirmed, 1…4; one where a session has
    /// at most four peers.
    public var quorum = 2
    /// How old the newest confirmed transaction in a tip's past may be, seen from the tip, when there are newer ones.
    public var tipWindow = Instant.Span.seconds(60)
    /// How long a transaction may be unconfirmed before peers with nothing to say approve it.
    public var patience = Instant.Span.seconds(2)
    /// How much time apart such approvals should be, seen over all issuers.
    public var nodSpacing = Instant.Span.milliseconds(100)
    /// How long to wait for what a transaction approves before asking for it.
    public var solidifyDelay = Instant.Span.milliseconds(700)
    /// How often it is asked for, of one peer after the other, before what waits for it is forgotten.
    public var solidifyAttempts = 8
    /// The time between synchronisations with some peer.
    public var syncInterval = Instant.Span.seconds(30)
    /// How long a peer may take to answer before it is asked again; a later answer is taken too.
    public var answerTime = Instant.Span.seconds(3)
    /// How many peers must say that they pruned a transaction before it need not be had; fewer where fewer are connected, and one for a
    /// newcomer.
    public var vouchers = 2
    /// How long transactions are kept.
    public var keepTime = Instant.Span.minutes(24 * 60)
    /// Room that is filled in less time is flooded; then issuers are held to their share, see ``Limits/issuerShare``.
    public var floodTime = Instant.Span.minutes(10)
    /// The time between looks at what is too old.
    public var pruneInterval = Instant.Span.seconds(60)
    /// How much of everything.
    public var limits = Limits()
    /// How bytes become a checked transaction; `nil` for ``Transaction/verified(_:least:)`` at base difficulty. A simulator puts a function
    /// with a memory here, as it is the same for all its peers.
    public var decode: (@Sendable ([UInt8]) -> Result<Transaction, LedgerError>)?

    /// The defaults, for the session of that name.
    public init(session: String) {
      genesis = .sha256(of: Array("murmur ledger genesis ".utf8) + Array(session.utf8))
    }
  }

  /// How much of everything a ledger keeps and does; what happens beyond is said at each.
  public struct Limits: Hashable, Sendable {
    /// Transactions kept; beyond, the oldest confirmed ones go, a sixteenth of them at once.
    public var transactions = 100_000
    /// Bytes of those; likewise.
    public var bytes = 64 << 20
    /// Transactions that wait for what they approve; beyond, further ones are not taken.
    public var waiting = 4_096
    /// Bytes of those; likewise.
    public var waitingBytes = 16 << 20
    /// The share of both that one peer may fill with what it brought, as a divisor.
    public var waitingShare = 4
    /// Own messages that wait for being issued; beyond, they are refused.
    public var queue = 1_024
    /// Bytes of transactions in one batch.
    public var batchBytes = 512 << 10
    /// Bytes of batches for one peer in ten seconds; beyond, it is not answered.
    public var servedBytes = 32 << 20
    /// Entries looked at to answer one peer's frontiers in ten seconds; beyond, it is not answered. Some eighty whole ledgers: as many
    /// batches as ``servedBytes`` are sent for less.
    public var visits = 8_000_000
    /// Digests of own tips in a frontier.
    public var tips = 64
    /// Unconfirmed transactions walked through to judge one tip; beyond, it is not chosen.
    public var walk = 512
    /// Tips looked at for one choice.
    public var candidates = 32
    /// Issuers remembered; beyond, those of whom nothing is kept are forgotten.
    public var issuers = 65_536
    /// Connected peers; further ones are not used.
    public var peers = 4_096
    /// The share of the kept transactions, as a divisor, that one issuer may have while the room is filled faster than in
    /// ``Configuration/floodTime``; of more, what is only gossiped is not taken.
    public var issuerShare = 4
    /// Bad transactions whose names are remembered, so that what builds on them is known to be bad.
    public var flawed = 4_096
    /// Votes for pruned transactions that are counted at once.
    public var votes = 4_096
    /// Transactions looked at for a nod at a time, and lazy ones put aside; of more, the oldest are left to others.
    public var doubtful = 1_024

    /// The default limits.
    public init() {}
  }
}
