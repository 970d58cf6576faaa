public import MurmurIdentity
public import MurmurMachines
import MurmurWire

/// One connection to a peer, as a value: the bytes of a socket go in and come out, streams above.
///
/// The upgrade of libp2p/specs `connections`: multistream-select agrees on Noise, Noise proves who is there and agrees on yamux in
/// its handshake (or multistream-select does afterwards, with peers that know no better), yamux carries streams, and multistream-select
/// agrees on each stream's protocol. With one proposal a stream is usable at once: the proposal travels with the first bytes.
///
/// Back-pressure goes end to end. A reader gives bytes back (``Input/consumed(_:_:)``) and only then may the other side send more; a
/// writer is told (``Effect/drained(_:)``) when what it wrote has gone; what the socket has not taken waits unencrypted.
public struct Connection: Machine, Sendable {
  /// What happened.
  public enum Input: Sendable {
    /// The socket is there. The dialer speaks first.
    case began
    /// Bytes came from the socket.
    case received([UInt8])
    /// The socket took that many of the bytes it was handed.
    case sent(Int)
    /// The other side will send nothing more, or the socket failed for that reason.
    case ended(String?)
    /// A stream is wanted that speaks the first of these protocols that the other side knows; `request` comes back in the effects.
    case open(request: UInt64, protocols: [String])
    /// Bytes to send on a stream, after all that were written before.
    case write(StreamID, [UInt8])
    /// Nothing more will be written on the stream.
    case finish(StreamID)
    /// The stream is of no use any more; nothing more is sent or received.
    case reset(StreamID)
    /// So many received bytes of the stream are done with; the other side may send as many again.
    case consumed(StreamID, Int)
    /// From now on streams may be opened from outside for these protocols.
    case serve([String])
    /// A timer fired.
    case fired(Timer)
    /// The connection is of no use any more, for the reason given.
    case close(String)
  }

  /// What is to be done.
  public enum Effect: Sendable {
    /// Send these bytes; say ``Input/sent(_:)`` when the socket has taken them.
    case send([UInt8])
    /// Wake this connection then; arming a timer again moves it.
    case arm(Timer, at: Instant)
    /// The peer has proven who it is, the connection can carry streams.
    case secured(PeerID, PublicKey)
    /// A stream is open: its protocol and who wanted it.
    case opened(StreamID, protocol: String, Origin)
    /// A wanted stream will not come.
    case refused(request: UInt64, ChannelError)
    /// Bytes came on a stream. Give them back with ``Input/consumed(_:_:)`` when they are done with.
    case received(StreamID, [UInt8])
    /// The other side will write nothing more on the stream.
    case ended(StreamID)
    /// The stream is over, at once and both ways.
    case wasReset(StreamID, ChannelError)
    /// Little of what was written on the stream still waits: its writer may go on.
    case drained(StreamID)
    /// Nothing more comes. Close the socket as soon as all bytes before have been sent.
    case closed(ChannelError)
  }

  /// The timers of a connection.
  public enum Timer: Hashable, Sendable {
    /// The upgrade takes too long.
    case handshake
    /// Streams whose protocol is not agreed on in time.
    case negotiation
    /// A sign of life is due, or overdue.
    case keepAlive
  }

  /// Who wanted a stream.
  public enum Origin: Hashable, Sendable {
    /// This side, by that request.
    case here(request: UInt64)
    /// The other side.
    case there
  }

  /// Which side of the connection this is.
  public enum Role: Hashable, Sendable {
    /// The one that dialled.
    case dialer
    /// The one that was dialled.
    case listener
  }
}
