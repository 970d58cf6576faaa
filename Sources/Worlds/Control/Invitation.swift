public import MurmurIdentity
public import MurmurWire

/// An invitation to a session: one string that holds where a peer is and what it takes part in, signed by that peer.
///
/// `murmur:` and the signed envelope (libp2p RFC 0002) in base32, so that it can be pasted, or read from a QR code in capital letters. It
/// carries the session itself, a few hundred bytes, rather than a name to be fetched: whoever joins needs nobody but one peer that answers.
/// Only the inviter's word is in it; a changed letter is noticed, another author is not, for whoever hands it on may write one of its own.
public struct Invitation: Hashable, Sendable {
  /// Who invites.
  public let inviter: PeerID
  /// Where the inviter can be reached, the most useful address first.
  public let addresses: [Multiaddr]
  /// The session: a scenario in YAML, without what belongs to one machine.
  public let session: String
  /// When the session began, in milliseconds since 1970.
  public let begins: Int64
  /// Whether whoever joins brings rows of its own.
  public let needsRows: Bool

  /// What an invitation begins with.
  public static let scheme = "murmur:"
  /// The most bytes of a session.
  public static let mostSession = 16 << 10
  /// The most addresses.
  public static let mostAddresses = 16
  /// The most characters of an invitation.
  public static let mostText = 40_000
  /// What the signature is for.
  public static let domain = "murmur-invitation"
  private static let kind: [UInt8] = [0x01]
  private static let what = "invitation"

  /// Addresses with the inviter's name at their end, to be dialled.
  public var entrances: [Multiaddr] {
    var place = 0
    guard let name = try? Multihash.read(inviter.bytes, at: &place) else { return [] }
    return addresses.map { Multiaddr($0.withoutPeer.parts + [.p2p(name)]) }
  }

  /// The invitation as one string, signed by the peer that `keys` belong to. Throws if the session is too long to be carried.
  public static func write(
    session: String, begins: Int64, needsRows: Bool, addresses: [Multiaddr], keys: KeyPair
  ) throws(WireError) -> String {
    guard session.utf8.count <= mostSession else {
      throw WireError(
        what, "the session has \(session.utf8.count) bytes; at most \(mostSession) fit, so hand on its file instead")
    }
    var message = Murmur_Invitation_Invitation()
    message.addresses = addresses.prefix(mostAddresses).map { .init(wire: $0.withoutPeer.bytes) }
    message.session = session
    message.begins = UInt64(max(begins, 0))
    message.needsRows = needsRows
    let envelope = Envelope.seal(message.wire, kind: kind, domain: domain, with: keys)
    return scheme + Base32.encode(envelope.encoded)
  }

  /// Reads an invitation, whatever the case of its letters and whatever blanks a mail program put into it.
  public init(parsing text: some StringProtocol) throws(WireError) {
    guard text.utf8.count <= Invitation.mostText else {
      throw WireError(Invitation.what, "has \(text.utf8.count) characters; at most \(Invitation.mostText) are read")
    }
    let bare = text.lowercased().filter { !$0.isWhitespace }
    guard bare.hasPrefix(Invitation.scheme) else {
      throw WireError(
        Invitation.what, "does not begin with \(Invitation.scheme); copy the whole line that `murmur invite` printed")
    }
    let bytes = try Base32.decode(bare.dropFirst(Invitation.scheme.count), what: Invitation.what)
    let envelope: Envelope
    do { envelope = try Envelope.open(bytes, kind: Invitation.kind, domain: Invitation.domain) } catch {
      throw WireError(Invitation.what, "was changed on its way, or is cut off (\(error)); ask for it again")
    }
    try ProtobufScan.bound(
      envelope.payload[...], what: Invitation.what, fields: Invitation.mostAddresses + 8,
      counting: [(1, Invitation.mostAddresses)])
    let message = try Murmur_Invitation_Invitation(wire: envelope.payload, what: Invitation.what, depth: 2)
    guard message.session.utf8.count <= Invitation.mostSession else {
      throw WireError(
        Invitation.what, "its session has \(message.session.utf8.count) bytes; at most \(Invitation.mostSession) are read")
    }
    var found: [Multiaddr] = []
    for address in message.addresses { do { found.append(try Multiaddr(bytes: address.array)) } catch { continue } }
    guard !found.isEmpty else {
      throw WireError(Invitation.what, "names no address that can be dialled from here; ask for another")
    }
    inviter = envelope.signer
    addresses = found
    session = message.session
    begins = Int64(min(message.begins, 1 << 52))
    needsRows = message.needsRows
  }
}

/// RFC 4648 base32 in lower case without padding, of any length.
enum Base32 {
  private static let letters = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)

  static func encode(_ bytes: [UInt8]) -> String {
    var out: [UInt8] = []
    out.reserveCapacity((bytes.count * 8 + 4) / 5)
    var bits: UInt32 = 0
    var count: UInt32 = 0
    for byte in bytes {
      bits = (bits << 8 | UInt32(byte)) & 0xfff
      count += 8
      while count >= 5 {
        count -= 5
        out.append(letters[Int(bits >> count & 31)])
      }
    }
    if count > 0 { out.append(letters[Int(bits << (5 - count) & 31)]) }
    return String(decoding: out, as: UTF8.self)
  }

  static func decode(_ text: some StringProtocol, what: String) throws(WireError) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(text.utf8.count * 5 / 8)
    var bits: UInt32 = 0
    var count: UInt32 = 0
    for (place, letter) in text.utf8.enumerated() {
      let value: UInt8
      switch letter {
      case UInt8(ascii: "a")...UInt8(ascii: "z"): value = letter - UInt8(ascii: "a")
      case UInt8(ascii: "2")...UInt8(ascii: "7"): value = letter - UInt8(ascii: "2") + 26
      default:
        throw WireError(
          what, at: place, "'\(Character(UnicodeScalar(letter)))' is no letter of an invitation; copy the whole line")
      }
      bits = (bits << 5 | UInt32(value)) & 0xfff
      count += 5
      if count >= 8 {
        count -= 8
        out.append(UInt8(truncatingIfNeeded: bits >> count))
      }
    }
    guard count < 5, bits & (1 << count - 1) == 0 else { throw WireError(what, "is cut off; copy the whole line") }
    return out
  }
}
