local memories = require "aesth/lib/memory"

local function read(path)
  local file = io.open(path, "rb")
  local content = file and file:read("a")
  if file then file:close() end
  return content
end

local function append(path, text)
  local file = assert(io.open(path, "ab"))
  file:write(text)
  file:close()
end

describe("what is remembered", function()
  local folder

  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    os.execute("mkdir " .. folder)
  end)

  after_each(function() os.execute("rm -r " .. folder) end)

  it("is nothing at first", function()
    local memory = memories.open(folder)
    assert.is_nil(memory:of("/a.jpg"))
    assert.is_nil(memory:ours("/a.jpg", 0))
    assert.same({}, memory:changes())
  end)

  it("is there after a restart, whatever the name of the photo", function()
    for _, path in ipairs({ "/a.jpg", "/tab\t.jpg", "/new\nline\\.jpg", "/写真 ★.jpg", "/caf\xe9.jpg" }) do
      memories.open(folder):remember(path, 0, 83.1, 4, "lite-int8 107d22c2")
      local memory = memories.open(folder)
      assert.equal(83.1, memory:of(path).score)
      assert.equal("lite-int8 107d22c2", memory:of(path).model)
      assert.equal(4, memory:ours(path, 0))
    end
  end)

  it("is one score for all versions of a photo, and a rating for each", function()
    local memory = memories.open(folder)
    memory:remember("/a.jpg", 0, 83.1, 4, "m")
    memory:remember("/a.jpg", 1, 90, nil, "m")
    assert.equal(90, memory:of("/a.jpg").score)
    assert.equal(4, memory:ours("/a.jpg", 0))
    assert.is_nil(memory:ours("/a.jpg", 1))
    assert.is_nil(memory:ours("/a.jpg", 2))
  end)

  it("is written only where it is new", function()
    local memory = memories.open(folder)
    memory:remember("/a.jpg", 0, 83.1, 4, "m")
    local before = read(folder .. "/scores.tsv")
    memory:remember("/a.jpg", 0, 83.1, 4, "m")
    assert.equal(before, read(folder .. "/scores.tsv"))
  end)

  it("does not grow without end", function()
    local memory = memories.open(folder)
    for i = 1, 300 do memory:remember("/a.jpg", 0, i % 100, 4, "m") end
    local long = #read(folder .. "/scores.tsv")
    assert.equal(0, memories.open(folder):of("/a.jpg").score)
    assert.is_true(#read(folder .. "/scores.tsv") < long / 100)
    assert.equal(4, memories.open(folder):ours("/a.jpg", 0))
  end)

  it("is lost by a line at most where a crash cut the last one off", function()
    local memory = memories.open(folder)
    memory:remember("/a.jpg", 0, 83.1, 4, "m")
    append(folder .. "/scores.tsv", "/b.jpg\t0\t4")
    memory = memories.open(folder)
    assert.equal(4, memory:ours("/a.jpg", 0))
    assert.is_nil(memory:of("/b.jpg"))
    memory:remember("/c.jpg", 0, 50, 3, "m")
    assert.equal(3, memories.open(folder):ours("/c.jpg", 0))
  end)

  it("is refused, and told, where it cannot be written", function()
    local memory = memories.open(folder .. "/nowhere")
    local _, problem = pcall(memory.remember, memory, "/a.jpg", 0, 83.1, 4, "m")
    assert.matches("nowhere/scores.tsv", problem.message)
    _, problem = pcall(memory.change, memory, "rating", 1, "/a.jpg", 0, 1, 4)
    assert.matches("nowhere/last%-run.tsv", problem.message)
  end)

  describe("of a run", function()
    it("is each change, the last one first, also after a restart", function()
      local memory = memories.open(folder)
      memory:begin()
      memory:change("rating", 7, "/a\tb.jpg", 0, 1, 4)
      memory:change("title", 7, "/a\tb.jpg", 0, "", "083.10")
      local changes = memories.open(folder):changes()
      assert.same({ what = "title", id = 7, path = "/a\tb.jpg", version = "0", old = "", new = "083.10" }, changes[1])
      assert.same({ what = "rating", id = 7, path = "/a\tb.jpg", version = "0", old = "1", new = "4" }, changes[2])
      assert.equal(2, #changes)
    end)

    it("replaces the run before at its first change, not earlier", function()
      local memory = memories.open(folder)
      memory:begin()
      memory:change("rating", 7, "/a.jpg", 0, 1, 4)
      memory:begin()
      assert.equal(1, #memory:changes())
      memory:change("rating", 8, "/b.jpg", 0, 1, 4)
      memory:change("rating", 9, "/c.jpg", 0, 1, 4)
      local numbers = {}
      for i, change in ipairs(memory:changes()) do numbers[i] = change.id end
      assert.same({ 9, 8 }, numbers)
    end)

    it("is gone once it is undone", function()
      local memory = memories.open(folder)
      memory:begin()
      memory:change("rating", 7, "/a.jpg", 0, 1, 4)
      memory:forget_run()
      assert.same({}, memories.open(folder):changes())
    end)
  end)
end)
