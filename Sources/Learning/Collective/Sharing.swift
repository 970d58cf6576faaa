import MurmurBlocks
package import MurmurCompute
import MurmurIdentity
import MurmurMachines
import MurmurSessions
import MurmurWire

/// What a peer knows of shared rows: its own dataslices and the queue of everybody's, with how often each was used.
struct Sharing: Sendable {
  /// How many slices are remembered; further ones are not taken up.
  static let queueLimit = 4096
  /// How many bytes a line of a hashlist may have on average.
  static let lineLimit = 128
  /// How many hashlists may be on their way at once.
  static let listLimit = 64
  /// How long a hashlist is waited for, at least; four cycles if those are longer.
  static let listPatience = Instant.Span.minutes(5)

  struct Slice: Sendable {
    var root: CID
    var owner: PeerID
    /// Uses for training by the whole network, as announced.
    var uses = 0
    /// Uses by this peer.
    var mine = 0
  }

  /// The roots of own slices and the hashlist that names them.
  var own: [CID] = []
  var queue: [Slice] = []
  var lists: [(root: CID, owner: PeerID)] = []
  var overuse = 0
  /// The slice that the current job trains on.
  var inUse: CID?

  /// The most bytes a hashlist may have.
  func mostListBytes(_ session: Session) -> Int { max(session.slices.perHashlist, 1) * Sharing.lineLimit }

  var hasNext: Bool { queue.contains { $0.uses < overuse } }

  /// The slice this peer used least, then the network used least, then the first; `nil` if all have been used enough.
  func next(chance: inout Chance) -> Slice? {
    let open = queue.filter { $0.uses < overuse }
    guard let least = open.map(\.mine).min() else { return nil }
    let pool = open.filter { $0.mine == least }
    return pool[chance.below(pool.count)]
  }

  mutating func add(_ root: CID, owner: PeerID) {
    guard queue.count < Sharing.queueLimit, !queue.contains(where: { $0.root == root }) else { return }
    queue.append(Slice(root: root, owner: owner))
  }

  mutating func count(_ root: CID, mine: Bool) {
    guard let index = queue.firstIndex(where: { $0.root == root }) else { return }
    queue[index].uses += 1
    if mine { queue[index].mine += 1 }
  }

  /// A slice that could not be had now goes behind those that this peer has used as often.
  mutating func postpone(_ root: CID) {
    guard let index = queue.firstIndex(where: { $0.root == root }) else { return }
    queue[index].mine += 1
  }
}

extension Collective {
  /// Cuts own rows into dataslices, stores them and announces the hashlist (LEARNAE §3.1).
  mutating func share(_ effects: inout Effects<Effect>) { share(rows.samples, rows.training, &effects) }

  /// Takes rows that came from elsewhere: in place of those it had, or cut into dataslices if rows are shared.
  mutating func gather(_ gathered: Work.Rows, _ effects: inout Effects<Effect>) {
    guard !session.privacy else {
      rows = gathered
      return
    }
    if rows.validation.isEmpty {
      rows.validation = gathered.validation
      rows.validationSamples = gathered.samples
    }
    share(gathered.samples, gathered.training, &effects)
  }

  private mutating func share(_ samples: Samples, _ training: [Int32], _ effects: inout Effects<Effect>) {
    sharing.overuse = session.slices.overuse
    let size = max(session.slices.rows, 1)
    var roots: [CID] = []
    for start in stride(from: 0, to: training.count, by: size) {
      let part = Array(training[start..<min(start + size, training.count)])
      let object = Object.build(SliceFile.encode(samples, rows: part))
      roots.append(object.root)
      sharing.add(object.root, owner: id)
      effects.append(.store(object))
    }
    sharing.own += roots
    for start in stride(from: 0, to: roots.count, by: max(session.slices.perHashlist, 1)) {
      let part = roots[start..<min(start + max(session.slices.perHashlist, 1), roots.count)]
      let list = Object.build(Array(part.map { "\($0)\n" }.joined().utf8))
      effects.append(.store(list))
      effects.append(.publish(.hashlist(list.root, slices: UInt32(part.count))))
    }
  }

  mutating func take(_ notice: Notice, from peer: PeerID, at now: Instant, _ effects: inout Effects<Effect>) {
    guard peer != id else { return }
    sharing.overuse = session.slices.overuse
    switch notice {
    case .model(let announcement):
      var seal: Seal?
      if case .strict = sealing {
        // The message was signed by its author, who speaks for nobody else.
        guard announcement.peer == peer else {
          return effects.append(.note(.offended(by: peer, "it announces a model in the name of \(announcement.peer)")))
        }
        seal = Seal(signature: [], made: announcement.made)
      }
      if let stale = directory.hear(announcement, seal: seal, from: peer, at: now) { effects.append(.release(root: stale)) }
    case .hashlist(let root, _):
      guard !session.privacy, role != .feeder, sharing.lists.count < Sharing.listLimit,
        !sharing.lists.contains(where: { $0.root == root })
      else { return }
      sharing.lists.append((root, peer))
      // Who gives it by and by, or never, must not hold a place for ever.
      effects.append(.fetch(root: root, from: [peer], until: now + max(session.cycle * 4, Sharing.listPatience)))
    case .used(let root): sharing.count(root, mine: false)
    }
  }

  /// A hashlist came: its slices join the queue.
  mutating func arrivedList(_ root: CID, _ bytes: [UInt8], _ effects: inout Effects<Effect>) {
    guard let place = sharing.lists.firstIndex(where: { $0.root == root }) else { return }
    let owner = sharing.lists.remove(at: place).owner
    guard bytes.count <= sharing.mostListBytes(session) else {
      return effects.append(.note(.rejected(root, from: owner, "its hashlist has \(bytes.count) bytes, too many")))
    }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").prefix(session.slices.perHashlist)
    for line in lines {
      guard let slice = CID(String(line)) else {
        effects.append(.note(.rejected(root, from: owner, "its hashlist has a line that is no CID")))
        return
      }
      sharing.add(slice, owner: owner)
    }
    effects.append(.keep(root: root))
  }

  mutating func fetchSlice(
    _ slice: Sharing.Slice, then models: [Work.Fetched], at now: Instant, _ chance: inout Chance,
    _ effects: inout Effects<Effect>
  ) {
    let until = now + session.cycle * 0.4
    phase = .fetchingSlice(slice.root, models: models)
    effects.append(.fetch(root: slice.root, from: slice.owner == id ? [] : [slice.owner], until: until))
    effects.append(.arm(.models, at: until))
  }

  mutating func arrivedSlice(_ root: CID, _ bytes: [UInt8], _ effects: inout Effects<Effect>) {
    sharing.inUse = nil
    let classes = architecture.outputs
    guard let samples = SliceFile.decode(bytes, width: architecture.inputs, classes: classes) else {
      let owner = sharing.queue.first { $0.root == root }?.owner ?? id
      effects.append(
        .note(.rejected(root, from: owner, "it is not a slice of \(architecture.inputs) features and \(classes) classes")))
      sharing.postpone(root)
      return
    }
    if rows.validationSamples == nil, !rows.validation.isEmpty { rows.validationSamples = rows.samples }
    if rows.validation.isEmpty {
      // A trainer has no rows of its own: the first slice it sees becomes what it validates with, and is never trained on.
      rows.validationSamples = samples
      rows.validation = Array(0..<Int32(samples.count))
      if let index = sharing.queue.firstIndex(where: { $0.root == root }) { sharing.queue.remove(at: index) }
      return
    }
    rows.samples = samples
    rows.training = Array(0..<Int32(samples.count))
    sharing.inUse = root
    effects.append(.keep(root: root))
  }

  /// Announces that the slice was used once more, so that the network's limit on uses holds.
  mutating func usedSlice(_ effects: inout Effects<Effect>) {
    guard let root = sharing.inUse else { return }
    sharing.inUse = nil
    sharing.count(root, mine: true)
    effects.append(.publish(.used(root)))
  }
}

/// A dataslice on the wire: a safetensors file with `features` (F32, rows × width) and `labels` (I32, rows).
package enum SliceFile {
  /// The most rows a slice may hold.
  static let rowLimit = 1 << 20
  /// The most bytes the header of a slice may have.
  static let headerLimit = 4_096

  /// The most bytes a slice of the session may have.
  static func mostBytes(_ session: Session, _ architecture: Architecture) -> Int {
    8 + headerLimit + min(max(session.slices.rows, 1), rowLimit) * (architecture.inputs + 1) * 4
  }

  static func header(rows: Int, width: Int, classes: Int) -> [UInt8] {
    let split = rows * width * 4
    var text = "{\"__metadata__\":{\"classes\":\"\(classes)\"},\"features\":{\"dtype\":\"F32\",\"shape\":[\(rows),\(width)],"
    text +=
      "\"data_offsets\":[0,\(split)]},\"labels\":{\"dtype\":\"I32\",\"shape\":[\(rows)],\"data_offsets\":[\(split),\(split + rows * 4)]}}"
    while text.utf8.count % 8 != 0 { text += " " }
    return Array(text.utf8)
  }

  package static func encode(_ samples: Samples, rows: [Int32]) -> [UInt8] {
    let header = header(rows: rows.count, width: samples.width, classes: samples.classes)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(8 + header.count + rows.count * (samples.width + 1) * 4)
    for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: header.count >> (8 * shift))) }
    bytes += header
    func append(_ bits: UInt32) { for shift in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: bits >> (8 * UInt32(shift)))) } }
    for row in rows { for value in samples.row(Int(row)) { append(value.bitPattern) } }
    for row in rows { append(UInt32(bitPattern: samples.labels[Int(row)])) }
    return bytes
  }

  /// The rows in `bytes`, or `nil` if they are not exactly what ``encode(_:rows:)`` writes for that width and those classes.
  package static func decode(_ bytes: [UInt8], width: Int, classes: Int) -> Samples? {
    guard bytes.count >= 8 else { return nil }
    var length = 0
    for index in (0..<8).reversed() {
      guard length < 1 << 20 else { return nil }
      length = length << 8 | Int(bytes[index])
    }
    let body = bytes.count - 8 - length
    guard length < headerLimit, body > 0, body % ((width + 1) * 4) == 0 else { return nil }
    let rows = body / ((width + 1) * 4)
    guard rows <= rowLimit, bytes[8..<(8 + length)].elementsEqual(header(rows: rows, width: width, classes: classes)) else {
      return nil
    }
    func word(_ offset: Int) -> UInt32 {
      UInt32(bytes[offset]) | UInt32(bytes[offset + 1]) << 8 | UInt32(bytes[offset + 2]) << 16 | UInt32(bytes[offset + 3]) << 24
    }
    let start = 8 + length
    let features = (0..<(rows * width)).map { Float(bitPattern: word(start + $0 * 4)) }
    let labels = (0..<rows).map { Int32(bitPattern: word(start + (rows * width + $0) * 4)) }
    guard features.allSatisfy(\.isFinite), labels.allSatisfy({ $0 >= 0 && $0 < Int32(classes) }) else { return nil }
    return Samples(features: features, width: width, labels: labels, classes: classes)
  }
}
