"""Language models behind the `TextGenerator` protocol.

From the top: `generator` asks and asks again, with `template` (what is said), `fence` (how foreign text is put into
it) and `parse` (what came back); `tasks` is the table of what can be asked. Below them are the `ChatModel`s.
"""
