internal import MurmurIdentity
internal import MurmurWire

/// One iterative search for the peers nearest to a point: whom to ask next, and when enough have answered.
///
/// The search runs over d disjoint paths (Baumgart and Mies, "S/Kademlia", 2007): a peer belongs to the path that first heard of it and
/// is asked once, so that a liar spoils one path only. A path ends when the β nearest peers it knows have answered. Then the k nearest
/// of all paths are asked, as far as they were not; when all of them have answered, the search is settled.
///
/// Some peers are *doubtful*: those that only discredited peers named (of whose other proposals too many were dead), and those of an
/// address group that is already asked enough. They are asked when there is nobody else left to ask, so that lies cost a bounded number
/// of requests and dead neighbourhoods can still be crossed.
struct Lookup: Sendable {
  struct Candidate: Sendable {
    var contact: Contact
    let distance: Digest
    let path: Int
    var state: State
    /// Who named it first, at most ``mostVouchers``; none for peers from our own table.
    var vouchers: [PeerID]
    /// How often it was asked again: with addresses that others named, or because it is the one looked for.
    var retries = 0
  }

  enum State: Equatable, Sendable {
    case heard
    case waiting
    /// Asked, and taking so long that nobody waits for it.
    case slow
    case answered
    case failed
  }

  struct Parameters: Sendable {
    var k: Int
    var alpha: Int
    var beta: Int
    var paths: Int
    var candidates: Int
    var requests: Int
    var addresses: Int
    var groupPerLookup: Int?
  }

  static let mostVouchers = 4
  static let mostRetries = 3
  static let mostUnproven = 3
  /// The distance of a point to itself.
  private static let nowhere = Digest(0, 0, 0, 0)
  let target: Digest
  private let own: PeerID
  private let parameters: Parameters
  /// Nearest first.
  private(set) var candidates: [Candidate] = []
  /// What came of the peers that a peer named first.
  private var credit: [PeerID: (answered: Int, failed: Int)] = [:]
  /// How many requests were made.
  private(set) var requests = 0
  private var isConfirming = false

  init(target: Digest, own: PeerID, seeds: [Contact], _ parameters: Parameters) {
    self.target = target
    self.own = own
    self.parameters = parameters
    for (index, seed) in seeds.enumerated() { hear(seed, path: index % max(parameters.paths, 1), voucher: nil) }
  }

  /// How many requests are under way and waited for.
  var waiting: Int { candidates.count { $0.state == .waiting } }

  /// Whether nothing but peers that take long could still help: so few answered that they are worth waiting for.
  var isDesperate: Bool {
    candidates.contains { $0.state == .slow } && candidates.count { $0.state == .answered } < parameters.beta
  }

  /// Takes note of an answer: the peers it names are candidates from now on.
  mutating func answered(_ peer: PeerID, closer: [Contact]) {
    guard let index = pending(peer) else { return }
    for voucher in candidates[index].vouchers {
      credit[voucher, default: (0, 0)].answered += 1
      if candidates[index].state == .slow { credit[voucher, default: (0, 0)].failed -= 1 }
    }
    candidates[index].state = .answered
    let path = candidates[index].path
    for contact in closer.prefix(parameters.k) { hear(contact, path: path, voucher: peer) }
    trim()
  }

  private func pending(_ peer: PeerID) -> Int? {
    candidates.firstIndex { $0.contact.peer == peer && ($0.state == .waiting || $0.state == .slow) }
  }

  mutating func failed(_ peer: PeerID) {
    guard let index = pending(peer) else { return }
    let wasSlow = candidates[index].state == .slow
    // The peer that is looked for itself is worth another attempt.
    if candidates[index].distance == Lookup.nowhere, candidates[index].retries < Lookup.mostRetries {
      candidates[index].retries += 1
      candidates[index].state = .heard
      return
    }
    candidates[index].state = .failed
    if wasSlow { return }
    for voucher in candidates[index].vouchers { credit[voucher, default: (0, 0)].failed += 1 }
  }

  /// A peer takes long: nobody waits for it any more, and it counts as dead until it answers.
  mutating func slowed(_ peer: PeerID) {
    guard let index = candidates.firstIndex(where: { $0.contact.peer == peer && $0.state == .waiting }) else { return }
    // The peer that is looked for itself is asked again at once.
    if candidates[index].distance == Lookup.nowhere, candidates[index].retries < Lookup.mostRetries {
      candidates[index].retries += 1
      candidates[index].state = .heard
      return
    }
    candidates[index].state = .slow
    for voucher in candidates[index].vouchers { credit[voucher, default: (0, 0)].failed += 1 }
  }

  private mutating func hear(_ contact: Contact, path: Int, voucher: PeerID?) {
    guard contact.peer != own else { return }
    let distance = Key(contact.peer).point.distance(to: target)
    var low = 0, high = candidates.count
    while low < high {
      let middle = (low + high) / 2
      if candidates[middle].distance < distance { low = middle + 1 } else { high = middle }
    }
    guard low < candidates.count, candidates[low].contact.peer == contact.peer else {
      guard !contact.addresses.isEmpty else { return }
      let vouchers = voucher.map { [$0] } ?? []
      candidates.insert(
        Candidate(contact: contact, distance: distance, path: path, state: .heard, vouchers: vouchers), at: low)
      return
    }
    let before = candidates[low].contact.addresses.count
    candidates[low].contact.merge(contact.addresses, most: parameters.addresses)
    guard let voucher, !candidates[low].vouchers.contains(voucher), candidates[low].vouchers.count < Lookup.mostVouchers else {
      return
    }
    candidates[low].vouchers.append(voucher)
    // Whoever named it first may have lied about where it is.
    if candidates[low].state == .failed, candidates[low].retries == 0, candidates[low].contact.addresses.count > before {
      candidates[low].retries += 1
      candidates[low].state = .heard
    }
  }

  /// Forgets peers that were not asked, beyond the limit: first those whom only discredited peers named, then the farthest.
  private mutating func trim() {
    guard candidates.count > parameters.candidates else { return }
    candidates = candidates.filter { $0.state != .heard || $0.vouchers.isEmpty || !$0.vouchers.allSatisfy(isDiscredited) }
    var index = candidates.count - 1
    while candidates.count > parameters.candidates, index >= 0 {
      if candidates[index].state == .heard { candidates.remove(at: index) }
      index -= 1
    }
  }

  private func isDiscredited(_ peer: PeerID) -> Bool {
    guard let credit = credit[peer] else { return false }
    // Liars have living friends to name as well: a third of dead proposals is too many.
    return credit.failed >= 2 && credit.answered < credit.failed * 2
  }

  /// For each candidate that did not fail, nearest first, whether it is doubtful.
  private func live() -> [(index: Int, isDoubtful: Bool)] {
    var found: [(index: Int, isDoubtful: Bool)] = []
    var groups: [(group: Multiaddr.Group, count: Int)] = []
    for index in candidates.indices where candidates[index].state != .failed && candidates[index].state != .slow {
      let candidate = candidates[index]
      var isDoubtful = candidate.state == .heard && !candidate.vouchers.isEmpty && candidate.vouchers.allSatisfy(isDiscredited)
      if let most = parameters.groupPerLookup, let group = candidate.contact.addresses.first?.group {
        if let place = groups.firstIndex(where: { $0.group == group }) {
          groups[place].count += 1
          if groups[place].count > most { isDoubtful = true }
        } else {
          groups.append((group, 1))
        }
      }
      found.append((index, isDoubtful))
    }
    return found
  }

  /// For each peer none of whose proposals has answered, how many of them are being asked.
  private func unproven() -> [PeerID: Int] {
    var counts: [PeerID: Int] = [:]
    for candidate in candidates where candidate.state == .waiting {
      if let voucher = candidate.vouchers.first, credit[voucher]?.answered ?? 0 == 0 { counts[voucher, default: 0] += 1 }
    }
    return counts
  }

  /// Whether a candidate may be asked now: whoever named it has shown that it names living peers, or only a few of its proposals are
  /// being tried. So a liar cannot make all requests wait for its inventions.
  private func admits(_ index: Int, beside unproven: inout [PeerID: Int]) -> Bool {
    guard let voucher = candidates[index].vouchers.first, credit[voucher]?.answered ?? 0 == 0 else { return true }
    guard unproven[voucher] ?? 0 < Lookup.mostUnproven else { return false }
    unproven[voucher, default: 0] += 1
    return true
  }

  /// Whom to ask now, at most `room` peers; they count as asked. With nobody to ask and nobody waited for, the search is settled.
  mutating func next(room: Int) -> [Contact] {
    var room = min(room, parameters.alpha - waiting, parameters.requests - requests)
    guard room > 0 else { return [] }
    let live = live()
    var chosen: [Int] = []
    var unproven = unproven()
    if !isConfirming {
      let share = max(1, parameters.alpha / max(parameters.paths, 1))
      var areAllDone = true
      for path in 0..<max(parameters.paths, 1) {
        let mine = live.filter { candidates[$0.index].path == path && !$0.isDoubtful }.map(\.index)
        if mine.prefix(parameters.beta).allSatisfy({ candidates[$0].state == .answered }) { continue }
        areAllDone = false
        var free = min(room, share - mine.count { candidates[$0].state == .waiting })
        for index in mine.prefix(parameters.k) where free > 0 && candidates[index].state == .heard {
          guard admits(index, beside: &unproven) else { continue }
          chosen.append(index)
          free -= 1
          room -= 1
        }
      }
      if areAllDone { isConfirming = true }
    }
    if isConfirming {
      let sound = live.filter { !$0.isDoubtful }.map(\.index).prefix(parameters.k)
      for index in sound where room > 0 && candidates[index].state == .heard {
        guard admits(index, beside: &unproven) else { continue }
        chosen.append(index)
        room -= 1
      }
      if chosen.isEmpty, sound.count < parameters.k, waiting == 0 {
        let doubtful = live.filter { $0.isDoubtful && candidates[$0.index].state == .heard }.map(\.index)
        chosen += doubtful.prefix(room)
      }
    }
    for index in chosen { candidates[index].state = .waiting }
    requests += chosen.count
    return chosen.map { candidates[$0].contact }
  }

  /// The nearest peers that answered, at most k of them, nearest first; doubtful ones only if there are too few others.
  func closest() -> [Contact] {
    let answered = live().filter { candidates[$0.index].state == .answered }
    let sound = answered.filter { !$0.isDoubtful }.map(\.index)
    let rest = answered.filter(\.isDoubtful).map(\.index)
    return (sound + rest).prefix(parameters.k).map { candidates[$0].contact }
  }

  /// What was heard about one peer.
  func contact(_ peer: PeerID) -> Contact? { candidates.first { $0.contact.peer == peer }?.contact }
}
