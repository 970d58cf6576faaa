import MurmurIdentity
import MurmurMachines
import MurmurWire

/// Streams and the agreement on their protocols.
extension Connection {
  mutating func open(_ request: UInt64, _ protocols: [String], at now: Instant, _ effects: inout Effects<Effect>) {
    guard isOpen, !protocols.isEmpty else {
      let why = protocols.isEmpty ? "no protocol is named" : isClosed ? "the connection is closed" : "the upgrade is not done"
      return effects.append(.refused(request: request, ConnectionError(phase, .closedHere(why), peer: peer ?? expected)))
    }
    do throws(ConnectionError) {
      let stream = try yamux.open(at: now)
      let negotiation = Negotiation.dialer(protocols, limits: limits)
      _ = yamux.write(stream, negotiation.start())
      if protocols.count == 1 {
        talks[stream] = Talk(kind: .assuming(protocols: protocols), negotiation: negotiation)
        effects.append(.opened(stream, protocol: protocols[0], .here(request: request)))
      } else {
        talks[stream] = Talk(kind: .dialing(request: request, protocols: protocols), negotiation: negotiation)
      }
      expect(stream, at: now, &effects)
    } catch { effects.append(.refused(request: request, error.about(peer))) }
  }

  mutating func write(_ stream: StreamID, _ bytes: [UInt8], _ effects: inout Effects<Effect>) {
    guard isOpen, !yamux.write(stream, bytes) else { return }
    let what =
      "\(yamux.unsent(stream)) written bytes wait to be sent, \(yamux.queued) on all streams; "
      + "write only when told that the stream is drained"
    yamux.reset(stream)
    end(stream, .limit(what), &effects)
  }

  /// Waits for the agreement on a stream's protocol, not too long.
  private mutating func expect(_ stream: StreamID, at now: Instant, _ effects: inout Effects<Effect>) {
    if deadlines.isEmpty { effects.append(.arm(.negotiation, at: now + limits.negotiation)) }
    // Streams that agreed long ago need not be remembered until they would have been late.
    if deadlines.count >= 64 + 4 * talks.count { deadlines.removeAll { talks[$0.stream] == nil } }
    deadlines.append((now + limits.negotiation, stream))
  }

  mutating func expire(at now: Instant, _ effects: inout Effects<Effect>) {
    let rest = deadlines.firstIndex { $0.due > now } ?? deadlines.endIndex
    let due = deadlines[..<rest]
    deadlines.removeFirst(rest)
    for (_, stream) in due where talks[stream] != nil {
      yamux.reset(stream)
      end(stream, .late("the agreement on a protocol"), &effects)
    }
    deadlines.removeAll { talks[$0.stream] == nil }
    if let next = deadlines.first { effects.append(.arm(.negotiation, at: next.due)) }
  }

  /// Passes on what yamux says, and answers where protocols are not agreed on yet.
  mutating func pass(at now: Instant, _ effects: inout Effects<Effect>) {
    guard !events.isEmpty else { return }
    var closing: ConnectionError.Reason?
    let list = events.list
    for event in list {
      switch event {
      case .received(let stream, let bytes):
        if talks[stream] == nil {
          effects.append(.received(stream, bytes))
        } else {
          talk(stream, bytes, at: now, &effects)
        }
      case .opened(let stream):
        talks[stream] = Talk(kind: .listening, negotiation: .listener(served, limits: limits))
        expect(stream, at: now, &effects)
      case .ended(let stream):
        if talks[stream] == nil {
          effects.append(.ended(stream))
        } else {
          yamux.reset(stream)
          end(stream, .unsupported(proposals(stream)), &effects)
        }
      case .wasReset(let stream, let reason): end(stream, reason, &effects)
      case .drained(let stream):
        if case .dialing? = talks[stream]?.kind { continue }
        effects.append(.drained(stream))
      case .acknowledged, .answered: continue
      case .goingAway(let code): if code != 0 { closing = .closedByPeer(code: code) }
      }
    }
    events.removeAll()
    if let closing { fail(ConnectionError(.open, closing), &effects) }
  }

  private func proposals(_ stream: StreamID) -> [String] {
    switch talks[stream]?.kind {
    case .dialing(_, let protocols), .assuming(let protocols): protocols
    case .listening, nil: []
    }
  }

  /// Bytes for the agreement on the stream's protocol; what comes after them is the protocol's own.
  private mutating func talk(_ stream: StreamID, _ bytes: [UInt8], at now: Instant, _ effects: inout Effects<Effect>) {
    guard let talk = talks[stream] else { return }
    var position = 0
    var answers: [UInt8] = []
    var negotiation = talk.negotiation
    do throws(WireError) {
      let outcome = try negotiate(&negotiation, bytes, &position, &answers)
      yamux.consumed(stream, position, at: now)
      if !answers.isEmpty { _ = yamux.write(stream, answers) }
      switch outcome {
      case .pending: talks[stream]?.negotiation = negotiation
      case .failed(let protocols):
        yamux.reset(stream)
        end(stream, .unsupported(protocols), &effects)
      case .agreed(let name):
        talks[stream] = nil
        switch talk.kind {
        case .dialing(let request, _): effects.append(.opened(stream, protocol: name, .here(request: request)))
        case .listening: effects.append(.opened(stream, protocol: name, .there))
        case .assuming: break
        }
        if position < bytes.count { effects.append(.received(stream, Array(bytes[position...]))) }
      }
    } catch {
      yamux.reset(stream)
      end(stream, .malformed(error), &effects)
    }
  }

  private func negotiate(
    _ negotiation: inout Negotiation, _ bytes: [UInt8], _ position: inout Int, _ answers: inout [UInt8]
  ) throws(WireError) -> Negotiation.Outcome {
    let result = unsafe bytes.withUnsafeBytes { buffer -> Result<Negotiation.Outcome, WireError> in
      do throws(WireError) {
        return .success(try unsafe negotiation.receive(buffer, at: &position, answers: &answers))
      } catch { return .failure(error) }
    }
    return try result.get()
  }

  /// The stream is over; tells whoever knows of it.
  private mutating func end(_ stream: StreamID, _ reason: ConnectionError.Reason, _ effects: inout Effects<Effect>) {
    let kind = talks.removeValue(forKey: stream)?.kind
    switch kind {
    case .dialing(let request, _):
      effects.append(.refused(request: request, ConnectionError(.stream, reason, peer: peer)))
    case .assuming: effects.append(.wasReset(stream, ConnectionError(.stream, reason, peer: peer)))
    case .listening: break
    case nil: effects.append(.wasReset(stream, ConnectionError(.open, reason, peer: peer)))
    }
  }
}
