public import MurmurIdentity
import MurmurMachines
import MurmurSessions
import MurmurWire

/// How it is proven that an announcement is its owner's.
public enum Sealing: Sendable {
  /// Announcements carry no signature, and all are believed: for simulations, where everybody is who it says.
  case none
  /// Own announcements are signed; those of others are believed, and passed on, only if their owner signed them.
  case strict(Sealer)

  /// The two functions that a host injects.
  public struct Sealer: Sendable {
    /// The signature over given bytes.
    public var sign: @Sendable ([UInt8]) -> [UInt8]
    /// Whether a signature over given bytes is that peer's.
    public var verify: @Sendable (_ signature: [UInt8], _ bytes: [UInt8], _ peer: PeerID) -> Bool

    /// A sealer with keys. Peers whose identity does not hold their key (RSA) cannot announce models.
    public init(_ keys: KeyPair) {
      sign = { keys.sign($0) }
      verify = { signature, bytes, peer in
        do throws(SignatureError) { return try PublicKey(of: peer)?.isValid(signature, for: bytes) ?? false } catch {
          return false
        }
      }
    }

    /// A sealer made of the two functions.
    public init(
      sign: @escaping @Sendable ([UInt8]) -> [UInt8],
      verify: @escaping @Sendable (_ signature: [UInt8], _ bytes: [UInt8], _ peer: PeerID) -> Bool
    ) {
      self.sign = sign
      self.verify = verify
    }
  }
}

/// An announcement with its owner's signature; empty if there is none.
public struct SealedAnnouncement: Hashable, Sendable {
  /// What is said.
  public var announcement: Announcement
  /// The owner's signature over ``Announcement/sealedBytes(session:)``.
  public var signature: [UInt8]

  /// The most bytes a signature may have.
  public static let signatureLimit = 80

  /// An announcement and its signature.
  public init(_ announcement: Announcement, signature: [UInt8]) {
    self.announcement = announcement
    self.signature = signature
  }
}

/// What is remembered of a signed announcement, to be passed on as it came.
struct Seal: Sendable {
  var signature: [UInt8]
  /// When the model was made as its owner wrote it; the directory may have taken it back to now.
  var made: Instant
}

/// Signatures of one sender that were checked in this cycle.
struct Checks: Sendable {
  /// Signatures of one sender that are checked between the beginnings of two cycles; further announcements of it are not read.
  static let perSender = 128
  /// Senders whose announcements are checked between the beginnings of two cycles.
  static let senders = 64

  private var counts: [(peer: PeerID, count: Int)] = []

  /// Whether one more signature that `peer` brought may be checked.
  mutating func take(_ peer: PeerID) -> Bool {
    guard let place = counts.firstIndex(where: { $0.peer == peer }) else {
      guard counts.count < Checks.senders else { return false }
      counts.append((peer, 1))
      return true
    }
    guard counts[place].count < Checks.perSender else { return false }
    counts[place].count += 1
    return true
  }

  mutating func reset() { counts.removeAll(keepingCapacity: true) }
}

extension Announcement {
  /// What stands before everything that is signed, so that the signature serves nothing else.
  static let domain = "murmur-announcement:1"

  /// The bytes that the owner signs: all it says, and in which session. Who can serve the object is the sender's word, not the owner's.
  public func sealedBytes(session: String) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(192)
    out.append(text: Announcement.domain)
    out.append(text: session)
    out.append(content: peer.bytes)
    out.append(content: root.bytes)
    out.append(word: UInt64(cycle))
    out.append(word: UInt64(max(made.nanoseconds, 0) / 1000))
    out.append(word: UInt64(accuracy.bitPattern) << 32 | UInt64(loss.bitPattern))
    out.append(word: UInt64(groundLoss.bitPattern) << 32 | UInt64(halvings))
    out.append(word: UInt64(rows))
    return out
  }
}

extension Collective {
  /// One's news as a message: signed, if announcements are.
  mutating func message(wantsReply: Bool) -> CollectiveMessage {
    guard case .strict(let sealer) = sealing else { return .news(news, wantsReply: wantsReply) }
    if let newest, ownSeal?.root != newest.root {
      ownSeal = (newest.root, sealer.sign(newest.sealedBytes(session: session.name)))
    }
    var sealed: [SealedAnnouncement] = []
    sealed.reserveCapacity(news.count)
    for told in news {
      if told.peer == id {
        if told.root == ownSeal?.root { sealed.append(SealedAnnouncement(told, signature: ownSeal?.signature ?? [])) }
      } else if let seal = directory.seal(of: told.peer, told.root), !seal.signature.isEmpty {
        var original = told
        original.made = seal.made
        sealed.append(SealedAnnouncement(original, signature: seal.signature))
      }
    }
    return .sealed(sealed, wantsReply: wantsReply)
  }

  /// Takes in signed news. What is not signed rightly is the sender's offence: who passes news on has checked them. Nothing else it says in
  /// the message is believed then. A signature is checked only where the announcement would change what is known.
  mutating func hear(
    sealed news: [SealedAnnouncement], from peer: PeerID, wantsReply: Bool, at now: Instant, _ chance: inout Chance,
    _ effects: inout Effects<Effect>
  ) {
    guard case .strict(let sealer) = sealing else {
      return hear(news.map(\.announcement), from: peer, wantsReply: wantsReply, at: now, &chance, &effects)
    }
    for told in news.prefix(CollectiveMessage.announcementLimit) where told.announcement.peer != id && !told.signature.isEmpty {
      let announcement = told.announcement
      if directory.isNews(announcement, at: now) {
        guard checks.take(peer) else { break }
        guard sealer.verify(told.signature, announcement.sealedBytes(session: session.name), announcement.peer) else {
          let who = peer == announcement.peer ? "itself" : "\(announcement.peer)"
          return effects.append(.note(.offended(by: peer, "it brings news of \(who) that are not rightly signed")))
        }
      }
      let seal = Seal(signature: told.signature, made: announcement.made)
      if let stale = directory.hear(announcement, seal: seal, from: peer, at: now) { effects.append(.release(root: stale)) }
    }
    answer(peer, wantsReply: wantsReply, at: now, &chance, &effects)
  }
}
