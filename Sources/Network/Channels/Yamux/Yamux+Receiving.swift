package import MurmurMachines
import MurmurWire

/// What the other side sends.
extension Yamux {
  /// Takes plaintext and says what came of it; the reason if the connection cannot go on.
  package mutating func receive(
    _ bytes: UnsafeRawBufferPointer, at now: Instant, events: inout Effects<Event>
  ) -> ConnectionError.Reason? {
    var position = 0
    while position < bytes.count {
      guard let frame = current else {
        if let reason = unsafe readHeader(bytes, &position, now, &events) { return reason }
        continue
      }
      let count = min(currentLeft, bytes.count - position)
      unsafe hand(frame, UnsafeRawBufferPointer(rebasing: bytes[position..<position + count]), &events)
      position += count
    }
    return nil
  }

  private mutating func readHeader(
    _ bytes: UnsafeRawBufferPointer, _ position: inout Int, _ now: Instant, _ events: inout Effects<Event>
  ) -> ConnectionError.Reason? {
    let count = min(YamuxHeader.byteCount - header.count, bytes.count - position)
    unsafe header.append(contentsOf: bytes[position..<position + count])
    position += count
    guard header.count == YamuxHeader.byteCount else { return nil }
    defer { header.removeAll(keepingCapacity: true) }
    do throws(WireError) { return take(try YamuxHeader(header), now, &events) } catch { return .malformed(error) }
  }

  private mutating func take(_ frame: YamuxHeader, _ now: Instant, _ events: inout Effects<Event>) -> ConnectionError.Reason? {
    switch frame.kind {
    case .ping: return pinged(frame, now, &events)
    case .goAway:
      isGoingAway = true
      events.append(.goingAway(code: frame.length))
      return nil
    case .data, .windowUpdate: break
    }
    guard frame.stream != 0 else { return .violation("a data frame names stream 0, which is the connection itself") }
    if frame.flags.contains(.syn), let reason = opened(frame, now, &events) { return reason }
    guard let id = streams[frame.stream]?.id else { return missing(frame) }
    acknowledge(frame, &events)
    if frame.flags.contains(.rst) {
      remove(frame.stream)
      events.append(.wasReset(id, .resetByPeer))
      return countReset(now) ?? (frame.kind == .data ? begin(frame, isKnown: false) : nil)
    }
    if frame.kind == .data { return begin(frame, isKnown: true) ?? ended(frame, &events) }
    let credit = (streams[frame.stream]?.credit ?? 0) + Int(frame.length)
    guard credit <= Int(UInt32.max) else { return .violation("\(id) gets a window of \(credit) bytes") }
    streams[frame.stream]?.credit = credit
    schedule(frame.stream)
    return ended(frame, &events)
  }

  private mutating func opened(
    _ frame: YamuxHeader, _ now: Instant, _ events: inout Effects<Event>
  ) -> ConnectionError.Reason? {
    guard isInbound(frame.stream) else { return .violation("it opens stream \(frame.stream), a number of this side's") }
    guard streams[frame.stream] == nil else { return .violation("it opens \(StreamID(frame.stream)) twice") }
    guard inbound < limits.inboundStreams else {
      highestInbound = max(highestInbound, frame.stream)
      answer(YamuxHeader(.windowUpdate, .rst, stream: frame.stream, length: 0))
      return countReset(now)
    }
    guard let id = admit(frame.stream, at: now) else {
      return .limit("it used the numbers of streams that were over again too often; connect anew")
    }
    events.append(.opened(id))
    return nil
  }

  /// A frame for a stream that is not open: what was on its way when the stream was reset is dropped, anything else is an offence.
  private mutating func missing(_ frame: YamuxHeader) -> ConnectionError.Reason? {
    if isInbound(frame.stream), frame.stream > highestInbound {
      return .violation("a frame is for stream \(frame.stream), which nobody opened")
    }
    if !isInbound(frame.stream), !wasOpened(frame.stream) {
      return .violation("a frame is for stream \(frame.stream), which this side never opened")
    }
    return frame.kind == .data ? begin(frame, isKnown: false) : nil
  }

  private mutating func begin(_ frame: YamuxHeader, isKnown: Bool) -> ConnectionError.Reason? {
    let length = Int(frame.length)
    if isKnown, let state = streams[frame.stream] {
      guard !state.isEnded || length == 0 else { return .violation("\(state.id) sends after its end") }
      guard length <= state.allowance else {
        return .violation("\(state.id) sends \(length) bytes where \(state.allowance) are allowed")
      }
      streams[frame.stream]?.allowance -= length
      streams[frame.stream]?.unconsumed += length
    } else if length > limits.window {
      return .violation("a frame of \(length) bytes for a stream that is closed")
    }
    guard length > 0 else { return nil }
    current = frame
    currentLeft = length
    return nil
  }

  /// Hands on a piece of a data frame. The end of the stream comes with the last piece.
  private mutating func hand(_ frame: YamuxHeader, _ bytes: UnsafeRawBufferPointer, _ events: inout Effects<Event>) {
    currentLeft -= bytes.count
    if let id = streams[frame.stream]?.id, !frame.flags.contains(.rst) {
      events.append(.received(id, unsafe [UInt8](bytes)))
    }
    guard currentLeft == 0 else { return }
    current = nil
    end(frame, &events)
  }

  /// The end of a frame without payload.
  private mutating func ended(_ frame: YamuxHeader, _ events: inout Effects<Event>) -> ConnectionError.Reason? {
    if current == nil { end(frame, &events) }
    return nil
  }

  private mutating func end(_ frame: YamuxHeader, _ events: inout Effects<Event>) {
    guard frame.flags.contains(.fin), let state = streams[frame.stream], !state.isEnded else { return }
    streams[frame.stream]?.isEnded = true
    events.append(.ended(state.id))
    removeIfOver(frame.stream)
  }

  private mutating func acknowledge(_ frame: YamuxHeader, _ events: inout Effects<Event>) {
    guard let state = streams[frame.stream], !state.isAcknowledged else { return }
    streams[frame.stream]?.isAcknowledged = true
    unacknowledged -= 1
    events.append(.acknowledged(state.id))
  }

  private mutating func pinged(
    _ frame: YamuxHeader, _ now: Instant, _ events: inout Effects<Event>
  ) -> ConnectionError.Reason? {
    if frame.flags.contains(.syn) {
      answer(YamuxHeader(.ping, .ack, stream: 0, length: frame.length))
    } else if let ping, ping.number == frame.length {
      self.ping = nil
      roundTrip = now - ping.sent
      events.append(.answered(now - ping.sent))
    }
    return nil
  }

  /// No longer waits for the answer to a ping.
  package mutating func forgetPing() { ping = nil }

  /// Counts a reset that the other side caused; the reason if there were too many.
  package mutating func countReset(_ now: Instant) -> ConnectionError.Reason? {
    if now - resetsSince >= ChannelLimits.resetPeriod { (resets, resetsSince) = (0, now) }
    resets += 1
    guard resets > limits.resets else { return nil }
    return .limit("more than \(limits.resets) streams were reset within ten seconds; it asks for too much")
  }
}
