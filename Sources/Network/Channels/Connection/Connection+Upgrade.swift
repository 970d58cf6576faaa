import MurmurIdentity
public import MurmurMachines
import MurmurWire

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// From a bare socket to streams, and to the end.
extension Connection {
  /// The phase a failure now belongs to.
  var phase: ConnectionError.Phase {
    switch stage {
    case .idle, .agreeing: .security
    case .shaking: .handshake
    case .choosing: .muxer
    case .open, .closed: .open
    }
  }

  mutating func begin(at now: Instant, _ effects: inout Effects<Effect>) {
    guard case .idle = stage else { return }
    effects.append(.arm(.handshake, at: now + limits.handshake))
    switch role {
    case .dialer:
      let negotiation = Negotiation.dialer([Connection.security], limits: limits)
      stage = .agreeing(negotiation)
      send(negotiation.start(), &effects)
    case .listener: stage = .agreeing(Negotiation.listener([Connection.security], limits: limits))
    }
  }

  /// Takes the bytes in `bytes`, like ``Input/received(_:)``, without asking for an array of them.
  public mutating func receive(_ bytes: UnsafeRawBufferPointer, at now: Instant, effects: inout Effects<Effect>) {
    lastReceived = now
    var position = 0
    while position < bytes.count {
      switch stage {
      case .idle, .closed: return
      case .agreeing(let negotiation): unsafe agree(negotiation, bytes, &position, &effects)
      case .shaking, .choosing, .open:
        guard unsafe records.read(bytes, at: &position) else { return checkAnnounced(&effects) }
        takeRecord(at: now, &effects)
        records.clear()
      }
    }
  }

  /// A handshake record that is too long is refused before its bytes are kept.
  private mutating func checkAnnounced(_ effects: inout Effects<Effect>) {
    guard case .shaking = stage, let announced = records.announced, announced > limits.handshakePayload else { return }
    let what = "it announces a handshake message of \(announced) bytes, \(limits.handshakePayload) are allowed"
    fail(ConnectionError(.handshake, .violation(what)), &effects)
  }

  private mutating func agree(
    _ before: Negotiation, _ bytes: UnsafeRawBufferPointer, _ position: inout Int, _ effects: inout Effects<Effect>
  ) {
    var negotiation = before
    var answers: [UInt8] = []
    do throws(WireError) {
      let outcome = try unsafe negotiation.receive(bytes, at: &position, answers: &answers)
      send(answers, &effects)
      switch outcome {
      case .pending: stage = .agreeing(negotiation)
      case .failed(let protocols): fail(ConnectionError(.security, .unsupported(protocols)), &effects)
      case .agreed: shake(&effects)
      }
    } catch { fail(ConnectionError(.security, .malformed(error)), &effects) }
  }

  private mutating func shake(_ effects: inout Effects<Effect>) {
    var handshake = NoiseHandshake(
      isInitiator: role == .dialer, identity: identity, secrets: secrets, expected: expected, muxers: [Connection.muxer])
    do throws(ConnectionError) {
      if role == .dialer { send(try handshake.start(), &effects) }
      stage = .shaking(handshake)
    } catch { fail(error, &effects) }
  }

  private mutating func takeRecord(at now: Instant, _ effects: inout Effects<Effect>) {
    switch stage {
    case .idle, .agreeing, .closed: return
    case .shaking(var handshake):
      checkAnnounced(&effects)
      guard !isClosed else { return }
      do throws(ConnectionError) {
        let (answer, secured) = try handshake.receive(records.record)
        stage = .shaking(handshake)
        if let answer { send(answer, &effects) }
        if let secured { shook(secured, at: now, &effects) }
      } catch { fail(error, &effects) }
    case .choosing, .open:
      guard let plaintext = records.withBox({ receiving?.open(&$0) }) else {
        return fail(ConnectionError(.records, .forged), &effects)
      }
      unsafe plaintext.withUnsafeBytes { bytes in unsafe takePlaintext(bytes, at: now, &effects) }
    }
  }

  private mutating func shook(_ secured: NoiseHandshake.Secured, at now: Instant, _ effects: inout Effects<Effect>) {
    sending = secured.sending
    receiving = secured.receiving
    peer = secured.peer
    guard secured.muxer == nil else { return secure(secured.key, at: now, &effects) }
    remoteKey = secured.key
    switch role {
    case .listener: stage = .choosing(Negotiation.listener([Connection.muxer], limits: limits))
    case .dialer:
      let negotiation = Negotiation.dialer([Connection.muxer], limits: limits)
      stage = .choosing(negotiation)
      plaintext = negotiation.start()
      seal(&effects)
    }
  }

  private mutating func takePlaintext(
    _ bytes: UnsafeRawBufferPointer, at now: Instant, _ effects: inout Effects<Effect>
  ) {
    var position = 0
    if case .choosing(let before) = stage {
      var negotiation = before
      do throws(WireError) {
        let outcome = try unsafe negotiation.receive(bytes, at: &position, answers: &plaintext)
        if !plaintext.isEmpty { seal(&effects) }
        switch outcome {
        case .pending: stage = .choosing(negotiation)
        case .failed(let protocols): fail(ConnectionError(.muxer, .unsupported(protocols)), &effects)
        case .agreed: if let remoteKey { secure(remoteKey, at: now, &effects) }
        }
      } catch { fail(ConnectionError(.muxer, .malformed(error)), &effects) }
    }
    guard isOpen, position < bytes.count else { return }
    let frames = unsafe UnsafeRawBufferPointer(rebasing: bytes[position...])
    let reason = unsafe yamux.receive(frames, at: now, events: &events)
    pass(at: now, &effects)
    if let reason { fail(ConnectionError(.frames, reason), &effects) }
  }

  private mutating func secure(_ key: PublicKey, at now: Instant, _ effects: inout Effects<Effect>) {
    stage = .open
    effects.append(.secured(key.peerID, key))
    effects.append(.arm(.keepAlive, at: now + limits.keepAlive))
    yamux.sendPing(at: now)
  }

  // MARK: Out

  /// Sends bytes of the upgrade, which are few.
  private mutating func send(_ bytes: [UInt8], _ effects: inout Effects<Effect>) {
    guard !bytes.isEmpty else { return }
    inFlight += bytes.count
    effects.append(.send(bytes))
  }

  /// Sends ``plaintext`` as one record.
  mutating func seal(_ effects: inout Effects<Effect>) {
    var out: [UInt8] = []
    let length = plaintext.count + CipherState.tag
    out.reserveCapacity(2 + length)
    NoiseRecords.append(length: length, to: &out)
    sending?.seal(plaintext, into: &out)
    plaintext.removeAll(keepingCapacity: true)
    inFlight += out.count
    effects.append(.send(out))
  }

  // MARK: Time, and the end

  mutating func fired(_ timer: Timer, at now: Instant, _ effects: inout Effects<Effect>) {
    switch (timer, stage) {
    case (_, .closed): return
    case (.handshake, .open): return
    case (.handshake, _): fail(ConnectionError(phase, .late("the upgrade of the connection")), &effects)
    case (.keepAlive, .open): keepAlive(at: now, &effects)
    case (.negotiation, .open): expire(at: now, &effects)
    case (.keepAlive, _), (.negotiation, _): return
    }
  }

  private mutating func keepAlive(at now: Instant, _ effects: inout Effects<Effect>) {
    if let sent = yamux.pingSent {
      if lastReceived > sent {
        yamux.forgetPing()
      } else if now >= sent + limits.pong {
        return fail(ConnectionError(.open, .late("a sign of life")), &effects)
      } else {
        return effects.append(.arm(.keepAlive, at: sent + limits.pong))
      }
    }
    guard now >= lastReceived + limits.keepAlive else {
      return effects.append(.arm(.keepAlive, at: lastReceived + limits.keepAlive))
    }
    yamux.sendPing(at: now)
    effects.append(.arm(.keepAlive, at: now + limits.pong))
  }

  mutating func ended(_ failure: String?, _ effects: inout Effects<Effect>) {
    fail(ConnectionError(phase, failure.map { .network($0) } ?? .closedByPeer(code: nil)), &effects)
  }

  /// Says good-bye if the other side would understand it, and ends everything.
  mutating func fail(_ error: ConnectionError, _ effects: inout Effects<Effect>) {
    guard !isClosed else { return }
    if isOpen, !error.isByPeer {
      yamux.goAway(code: error.isOffence ? 1 : 0)
      yamux.fillAnswers(&plaintext, NoiseRecords.mostPlaintext)
      seal(&effects)
    }
    stage = .closed
    talks = [:]
    deadlines = []
    plaintext = []
    yamux = Yamux(isDialer: role == .dialer, limits: limits)
    effects.append(.closed(error.about(peer ?? expected)))
  }
}

extension ConnectionError {
  /// Whether nobody listens any more.
  fileprivate var isByPeer: Bool {
    switch reason {
    case .closedByPeer, .network: true
    default: false
    }
  }
}
