import MurmurStorage
import Testing
