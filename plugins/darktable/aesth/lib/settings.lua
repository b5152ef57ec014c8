-- The plugin's preferences (darktable's preferences > Lua options), and what they mean.

local dt = require "darktable"

local core = require(((...):match("^(.*[/.])") or "") .. "core")

local settings = {}

local NAME = "aesth"

local function _(text)
  return dt.gettext.dgettext(NAME, text)
end

-- What is shown for each value of a choice, the default first.
local CHOICES = {
  policy = {
    { "ours", _("unrated photos, and those that aesth rated") },
    { "unrated", _("unrated photos only") },
    { "raise", _("all, but never to fewer stars") },
    { "overwrite", _("all, rejected ones as well") },
  },
  best = {
    { "group", _("group the burst, the best on top") },
    { "green", _("green label") },
    { "red", _("red label") },
    { "yellow", _("yellow label") },
    { "blue", _("blue label") },
    { "purple", _("purple label") },
  },
}

local function register_choice(name, label, tooltip)
  local shown = {}
  for i, choice in ipairs(CHOICES[name]) do shown[i] = choice[2] end
  dt.preferences.register(NAME, name, "enum", label, tooltip, shown[1], table.unpack(shown))
end

-- Preferences are listed in the reverse of the order in which they are registered.
function settings.register()
  register_choice("best", _("aesth: mark the best of each group by"), _("what best of each group does in a burst"))
  dt.preferences.register(NAME, "on_import", "bool", _("aesth: score on import"),
    _("score photos when they are imported"), false)
  dt.preferences.register(NAME, "titles", "bool", _("aesth: exact score as title"),
    _("writes the score into empty titles, so that best first can sort photos of equal stars.\n"
      .. "Titles are part of the photos that you export!"), false)
  dt.preferences.register(NAME, "relative", "bool", _("aesth: stars by rank among the photos scored together"),
    _("gives stars by a photo's rank within the run rather than by its score"), false)
  dt.preferences.register(NAME, "cut_points", "string", _("aesth: scores for 2, 3, 4 and 5 stars"),
    _("four increasing numbers of 0-100; with stars by rank, percentiles"), "10 35 70 93")
  dt.preferences.register(NAME, "one_is_none", "bool", _("aesth: one star counts as unrated"),
    _("darktable gives photos one star when it imports them, unless you changed that"), true)
  register_choice("policy", _("aesth: photos that may be rated"),
    _("your own ratings are kept, but for the last choice"))
  dt.preferences.register(NAME, "model", "string", _("aesth: model"),
    _("a name that `aesth models` lists, or the path of an ONNX file; empty for the default"), "")
  dt.preferences.register(NAME, "program", "file", _("aesth: the program"),
    _("the program aesth; if none is chosen, the one that installed this plugin, or that is on the PATH"), "")
end

local function text(name, kind)
  return dt.preferences.read(NAME, name, kind or "string") or ""
end

local function choice(name)
  local shown = text(name, "enum")
  for _, value in ipairs(CHOICES[name]) do
    if value[2] == shown or value[1] == shown then return value[1] end
  end
  return CHOICES[name][1][1]
end

-- The program: the preference, else what its installer left in `program.txt` beside `aesth.lua`, else that on the PATH.
function settings.program()
  local chosen = text("program", "file")
  if chosen ~= "" then return chosen end
  local here = debug.getinfo(1, "S").source:match("^@(.*)[/\\]lib[/\\][^/\\]*$")
  local file = here and io.open(here .. "/program.txt", "rb")
  local installed = file and file:read("l")
  if file then file:close() end
  return installed and installed:gsub("\r$", "") or "aesth"
end

-- What the preferences say now:
--   program, model ("" for the default), policy, best: as above.
--   cut_points: four scores, nil if what stands there makes no sense.
--   is_relative, has_titles, one_is_none: whether.
function settings.now()
  return {
    program = settings.program(),
    model = text("model"):match("^%s*(.-)%s*$"),
    policy = choice("policy"),
    best = choice("best"),
    cut_points = core.cut_points(text("cut_points")),
    is_relative = dt.preferences.read(NAME, "relative", "bool"),
    has_titles = dt.preferences.read(NAME, "titles", "bool"),
    one_is_none = dt.preferences.read(NAME, "one_is_none", "bool"),
  }
end

function settings.scores_on_import()
  return dt.preferences.read(NAME, "on_import", "bool")
end

return settings
