import MurmurChannels
import MurmurIdentity
import MurmurMachines
import MurmurWire
import Testing

/// Two ends of a connection, from the first byte to the last.
@Suite struct ConnectionStories {
  @Test func `two peers prove who they are and open a stream`() throws {
    var pair = Pair(seed: 1)
    pair.ends[1].echoes = true
    pair.begin()
    #expect(pair.ends[0].secured == Pair.keys("listener").peerID)
    #expect(pair.ends[1].secured == Pair.keys("dialer").peerID)
    let stream = try pair.open()
    pair.step(0, .write(stream, Array("hello".utf8)))
    pair.step(0, .finish(stream))
    pair.run()
    #expect(pair.ends[0].data[stream] == Array("hello".utf8))
    #expect(pair.ends[0].ended == [stream] && pair.ends[1].ended == [stream])
    #expect(pair.ends[1].protocols[stream] == "/echo/1")
    #expect(pair.ends.allSatisfy { $0.connection.streamCount == 0 && $0.closed == nil })
  }
}
