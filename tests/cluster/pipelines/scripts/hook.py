"""Orders of more than five, and how many there were."""

from com.snaplogic.scripting.language import ScriptHook


class Large(ScriptHook):
    def __init__(self, input, output, error, log):
        self.input, self.output = input, output

    def execute(self):
        seen = 0
        while self.input.hasNext():
            doc = self.input.next()
            seen += 1
            if doc["count"] > 5:
                self.output.write(doc, {"id": doc["id"], "seen": seen})


hook = Large(input, output, error, log)
