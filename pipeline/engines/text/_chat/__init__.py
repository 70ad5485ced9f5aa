"""Language models behind the `TextGenerator` protocol. The way of one request, such as the rewrite of a question:

1. A stage calls `PromptedGenerator.generate` (`generator`) with its `TextRequest`s: task, variables, prompt, check.
2. `load_template` (`template`) reads the prompt; `Template.messages` renders it, untrusted text between marks.
3. The event loop (`remote.async_bridge`) runs one conversation for each request: `PromptedGenerator._answer`.
4. `CachedChatModel.complete` (`answers`) returns the stored answer, if the same was asked before.
5. `OpenAIChat.complete` (`openai_model`) turns the `ChatRequest` into the body that this server understands.
6. `ServerClient` (`remote.client`) sends it, again where that may help; `completion` reads the reply.
   `VllmChat` (`vllm_model`) takes the place of 5 and 6 for a model in the worker's own process.
7. `read_reply` (`parse`) finds the JSON object in the reply, if need be after `json_repair`, and looks whether it only
   repeats the prompt; the request's own check looks at the fields. Whatever is wrong is a `Complaint`, which the model
   is told (3 again).
8. A job whose first requests all come to nothing for one cause ends here (`generator`).

`tasks` is the table of what can be asked, `examples` finds what a template shows.
"""
