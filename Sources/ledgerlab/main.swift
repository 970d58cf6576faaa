import MurmurLedger
print("ok")
