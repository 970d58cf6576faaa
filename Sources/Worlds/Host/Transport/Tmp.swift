import Logging
import Metrics
import MurmurChannels
import NIOCore
import NIOPosix
