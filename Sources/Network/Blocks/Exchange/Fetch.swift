internal import MurmurIdentity
internal import MurmurMachines
internal import MurmurWire

/// One object on its way.
struct Fetch: Sendable {
  let root: CID
  var deadline: Instant
  let started: Instant
  /// The peers that are asked, at most 64 at a time, since wants keep bits about them.
  var sources: [Source] = []
  /// Every block that was or is missing, in the order of the file as it became known.
  var wants: [Want] = []
  /// Where each block is in ``wants``; only kept for objects of more than a few blocks.
  var places: [CID: Int32] = [:]
  /// Blocks that are not here; and those of them that nobody is being asked for.
  var missing = 0
  var unasked = 0
  /// Where the object is to be in the end; for `memory`, what the world was asked to bring; for `disk`, what is not safe yet.
  var keeping = Exchange.Keeping.memory
  var pending: Set<CID> = []
  /// For `memory`, everything that the world was asked to bring.
  var brought: Set<CID> = []
  /// Peers that gave way to others in ``sources``.
  var former: [PeerID] = []
  var blocks = 0
  var bytes = 0
  /// The most bytes the object may have, and what its root says that it has.
  var mostBytes: Int
  var claimed: UInt64 = 0

  /// The most peers asked at a time.
  static let mostSources = 64
  private static let searched = 8

  /// One block.
  struct Want: Sendable {
    let cid: CID
    var isHere = false
    /// How often it was asked for, up to 255, and when last.
    var asks: UInt8 = 0
    var askedAt = Instant.origin
    /// The sources (bit = place) that are being asked, and that said they do not have it.
    var asked: UInt64 = 0
    var lacking: UInt64 = 0
  }

  /// One peer that is asked.
  struct Source: Sendable {
    let peer: PeerID
    /// The want it is being asked whether it has; −1 if it counts as having everything it did not deny.
    var probe: Int32 = -1
    var isGone = false
    var wasAsked = false
    /// Silences in a row.
    var failures: UInt8 = 0
    /// Blocks asked and not answered; the most there may be.
    var outstanding: Int16 = 0
    var window: Int16
    /// When it was asked first, and how many blocks it gave since.
    var since = Instant.origin
    var given: Int32 = 0
    /// When its silence has lasted too long; never if it owes no answer.
    var expires = Instant.never
    /// No want before this one is for it to take.
    var cursor: Int32 = 0

    var isBusy: Bool { outstanding > 0 || probe >= 0 }
  }

  init(root: CID, started: Instant, deadline: Instant, mostBytes: Int) {
    self.root = root
    self.started = started
    self.deadline = deadline
    self.mostBytes = mostBytes
  }

  /// What the nodes of an object may take beside its own bytes: an eighth of those, and this.
  static let nodeBytes = 64 << 10

  /// Whether the object has more bytes than it may have, by its own word or by what came.
  ///
  /// The word of the root is what bounds a reader, as each part may be named many times; what came bounds memory, as a root may lie.
  var isTooLarge: Bool {
    guard mostBytes < .max else { return false }
    return claimed > UInt64(mostBytes) || bytes - mostBytes > mostBytes / 8 + Fetch.nodeBytes
  }

  /// Takes note of what a block says of the object's size, if it is the root.
  mutating func believe(_ block: Block) {
    guard mostBytes < .max, block.cid == root else { return }
    claimed = Object.claimedBytes(of: block)
  }

  /// The place of a block that is or was missing.
  func place(of cid: CID) -> Int? {
    if wants.count <= Fetch.searched { return wants.firstIndex { $0.cid == cid } }
    return places[cid].map(Int.init)
  }

  func source(of peer: PeerID) -> Int? { sources.firstIndex { $0.peer == peer } }

  /// Adds a block that is missing, unless it is known already.
  mutating func add(_ cid: CID) {
    guard place(of: cid) == nil else { return }
    if wants.count == Fetch.searched {
      for (index, want) in wants.enumerated() { places[want.cid] = Int32(index) }
    }
    if wants.count >= Fetch.searched { places[cid] = Int32(wants.count) }
    wants.append(Want(cid: cid))
    missing += 1
    unasked += 1
  }

  /// Adds a source at the end, or in the place of one that is of no use; false if there is no place.
  mutating func add(source peer: PeerID, probing want: Int32 = -1, window: Int) -> Int? {
    var source = Source(peer: peer, window: Int16(clamping: window))
    source.probe = want
    guard sources.count >= Fetch.mostSources else {
      sources.append(source)
      return sources.count - 1
    }
    let first = wants.firstIndex { !$0.isHere && $0.asked == 0 } ?? 0
    let useless = sources.indices.first { index in
      !sources[index].isBusy
        && (sources[index].isGone || sources[index].failures > 0 || wants[first].lacking >> UInt64(index) & 1 == 1)
    }
    guard let useless else { return nil }
    former.append(sources[useless].peer)
    let bit: UInt64 = 1 << UInt64(useless)
    for index in wants.indices { wants[index].lacking &= ~bit }
    sources[useless] = source
    return useless
  }

  /// Notes that source `index` is not being asked for `place` any more.
  mutating func withdraw(_ place: Int, from index: Int) {
    let bit: UInt64 = 1 << UInt64(index)
    guard wants[place].asked & bit != 0 else { return }
    wants[place].asked &= ~bit
    sources[index].outstanding -= 1
    if sources[index].outstanding == 0, sources[index].probe < 0 { sources[index].expires = .never }
    guard wants[place].asked == 0, !wants[place].isHere else { return }
    unasked += 1
    for other in sources.indices { sources[other].cursor = min(sources[other].cursor, Int32(place)) }
  }

  /// Withdraws everything that source `index` is being asked.
  mutating func withdrawAll(from index: Int) {
    sources[index].probe = -1
    sources[index].expires = .never
    guard sources[index].outstanding > 0 else { return }
    let bit: UInt64 = 1 << UInt64(index)
    for place in wants.indices where wants[place].asked & bit != 0 { withdraw(place, from: index) }
  }

  /// Everyone who was asked.
  var everyone: [PeerID] { former + sources.filter(\.wasAsked).map(\.peer) }
}
