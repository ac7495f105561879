class Calendar: pass
class Calendars:
    @classmethod
    def load(cls, path): return cls()
    def of(self, place): return Calendar()
