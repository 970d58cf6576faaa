public import MurmurIdentity
public import MurmurWire

/// What is known about a peer from what it told us, as far as it is to be believed.
public struct PeerDescription: Hashable, Sendable {
  /// Who.
  public let peer: PeerID
  /// The protocols it accepts streams for, in its order.
  public var protocols: [String]
  /// Where it can be reached, best evidence first, each without the peer at its end.
  public var addresses: [Multiaddr]
  /// Whether ``addresses`` are those the peer signed.
  public var isSigned: Bool
  /// The signed peer record, encoded, to be passed on (peer exchange); `nil` if there was no valid one.
  public var signedRecord: [UInt8]?
  /// The number of that record; of two the higher counts.
  public var sequence: UInt64
  /// Its software, shortened and without control characters.
  public var agentVersion: String?
  /// The family of protocols it speaks.
  public var protocolVersion: String?

  /// Whether it accepts streams for `name`.
  public func speaks(_ name: String) -> Bool { protocols.contains(name) }

  init(_ peer: PeerID) {
    self.peer = peer
    protocols = []
    addresses = []
    isSigned = false
    signedRecord = nil
    sequence = 0
    agentVersion = nil
    protocolVersion = nil
  }

  /// Takes in what the peer said over a connection from `remote`.
  ///
  /// - A signed record counts if the peer itself signed it and it is not older than the one before; then unsigned addresses are not
  ///   looked at. A record that is forged or somebody else's is ignored and named in the result.
  /// - Addresses are believed as far as they can be reached from where the peer is: a peer seen from the internet cannot be reached at
  ///   its loopback or site addresses by us, and naming them would only make us dial our own neighbours.
  /// - At most `most` addresses are kept.
  mutating func take(_ message: IdentifyMessage, over remote: Multiaddr?, isPartial: Bool, most: Int) -> Complaint? {
    var complaint: Complaint?
    if !message.protocols.isEmpty || !isPartial { protocols = message.protocols }
    if let agent = message.agentVersion { agentVersion = PeerDescription.printable(agent) }
    if let version = message.protocolVersion { protocolVersion = PeerDescription.printable(version) }
    if let key = message.publicKey {
      do { if try PublicKey(encoded: key).peerID != peer { complaint = .foreignKey } } catch { complaint = .foreignKey }
    }
    if let signed = message.signedRecord {
      do throws(EnvelopeError) {
        let record = try PeerRecord.open(signed)
        if record.peer != peer {
          complaint = .foreignRecord
        } else if signedRecord == nil || record.sequence >= sequence {
          (signedRecord, sequence, isSigned) = (signed, record.sequence, true)
          addresses = PeerDescription.credible(record.addresses, of: peer, from: remote, most: most)
          return complaint
        } else {
          return complaint
        }
      } catch {
        complaint = .invalidRecord("\(error)")
      }
    }
    guard !isSigned, !message.listenAddresses.isEmpty || !isPartial else { return complaint }
    addresses = PeerDescription.credible(message.listenAddresses, of: peer, from: remote, most: most)
    return complaint
  }

  /// Why something that a peer said about itself was not believed.
  public enum Complaint: Hashable, Sendable {
    /// The key in the message is not the peer's.
    case foreignKey
    /// The signed record is another peer's.
    case foreignRecord
    /// The signed record cannot be opened.
    case invalidRecord(String)
  }

  /// The addresses that a peer seen at `remote` may have, each once, without the peer at the end.
  static func credible(_ addresses: [Multiaddr], of peer: PeerID, from remote: Multiaddr?, most: Int) -> [Multiaddr] {
    let seen = remote?.reach ?? .global
    var kept: [Multiaddr] = []
    for address in addresses {
      if let named = address.peer, named.bytes != peer.bytes, !address.parts.contains(.p2pCircuit) { continue }
      let bare = address.parts.contains(.p2pCircuit) ? address : address.withoutPeer
      let isCredible =
        switch bare.reach {
        case .global, .named: true
        case .site, .link: seen != .global && seen != .named
        case .loopback: seen == .loopback
        case .none: address.parts.contains(.p2pCircuit)
        }
      guard isCredible, !kept.contains(bare) else { continue }
      kept.append(bare)
      if kept.count == most { break }
    }
    return kept
  }

  /// At most 64 characters without control characters, fit for a log.
  static func printable(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.lazy.filter { $0.value >= 0x20 && $0.value != 0x7f }.prefix(64)))
  }
}
