--[[
  Copyright 2026 The aesth developers

  Licensed under the Apache License, Version 2.0 (the "License"); you may not use this file except in compliance with
  the License. You may obtain a copy of the License at http://www.apache.org/licenses/LICENSE-2.0
  Unless required by applicable law or agreed to in writing, software distributed under the License is distributed on an
  "AS IS" BASIS, WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
]]
--[[
  aesth: score photos by how pleasing people will find them, sort, and keep the best, without leaving the lighttable

  ADDITIONAL SOFTWARE NEEDED FOR THIS SCRIPT
  * aesth, which is found where it installed this script, on the PATH, or where preferences > Lua options say.

  USAGE
  * `aesth darktable install` does it all; or copy the folder of this file to the folder `lua` of darktable's
    configuration, and start it by script_manager or by the line `require "aesth/aesth"` in the file `luarc`
  * a panel `aesth` in the lighttable, actions of the selected images, and shortcuts:
    score, best first, best of each group, read ratings from sidecars, undo last run

  LIMITATIONS
  * on Windows, where it is untested, results come at the end and a run cannot be cancelled
]]

local dt = require "darktable"

local NAME = "aesth"
local LEAST_API = 9 -- darktable 4.2
local PATIENCE = 1500 -- milliseconds that darktable's windows may take

dt.gettext.bindtextdomain(NAME, dt.configuration.config_dir .. "/lua/aesth/locale")

local function _(text)
  return dt.gettext.dgettext(NAME, text)
end

local script_data = {}

script_data.metadata = {
  name = _("aesth"),
  purpose = _("score photos, sort, and keep the best"),
  author = "The aesth developers",
  help = "aesth darktable --help",
}

script_data.destroy = nil -- how to take it away
script_data.destroy_method = nil -- a panel can only be hidden
script_data.restart = nil -- how to show a hidden one again
script_data.show = nil

if not dt.configuration.has_gui then return script_data end -- darktable-cli reads luarc as well

if dt.configuration.api_version_major < LEAST_API then
  dt.print(_("aesth needs darktable 4.2 or newer"))
  return script_data
end

local lib = ((...):match("^(.*[/.])") or "") .. "lib/"
local panel = require(lib .. "panel")
local runs = require(lib .. "runs")
local settings = require(lib .. "settings")

-- The folder for what is remembered: that of this script may be replaced by an update.
local function own_folder()
  local folder = dt.configuration.config_dir .. "/aesth"
  local command = dt.configuration.running_os == "windows" and 'mkdir "%s" 2>NUL' or "mkdir -p '%s'"
  local name = dt.configuration.running_os == "windows" and folder:gsub("/", "\\") or folder:gsub("'", "'\\''")
  os.execute(string.format(command, name))
  return folder
end

runs.open(own_folder())

local is_up, is_wanted = false, true

local function show()
  is_wanted = true
  if not is_up then return end
  panel.register()
  panel.show()
end

-- darktable 4.2 reads luarc in a thread of its own, which hangs for ever where a script makes something visible, or
-- registers preferences, before the windows are up. Nothing tells when they are.
dt.control.dispatch(function()
  dt.control.sleep(PATIENCE)
  if dt.control.ending then return end
  settings.register()
  is_up = true
  if is_wanted then show() end
end)

script_data.destroy = function()
  is_wanted = false
  if is_up then panel.hide() end
end
script_data.destroy_method = "hide"
script_data.restart = show
script_data.show = function()
  if is_up then panel.show() end
end

return script_data
